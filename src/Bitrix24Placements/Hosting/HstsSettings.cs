using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Hosting;

/// <summary>Section <c>Hsts</c>: whether browsers are told for a year to come by https alone.</summary>
internal sealed class HstsSettings : ISettings
{
    public static string Section => "Hsts";

    public bool Enabled { get; set; } = true;

    public void Read(IConfigurationSection section) => Enabled = section.Truth(nameof(Enabled), Enabled);
}
