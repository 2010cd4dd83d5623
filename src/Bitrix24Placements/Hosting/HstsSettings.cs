using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Hosting;

/// <summary>Section <c>Hsts</c>: whether browsers are told for a year to come by https alone.</summary>
internal sealed class HstsSettings
{
    public const string Section = "Hsts";

    public bool Enabled { get; set; } = true;

    internal void Read(IConfigurationSection section) => Enabled = section.Truth(nameof(Enabled), Enabled);
}
