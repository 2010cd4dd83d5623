using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Signals;

/// <summary>Section <c>Signals</c>.</summary>
internal sealed class SignalsOptions
{
    public const string Section = "Signals";

    /// <summary>Keys of backends; none: every key is refused.</summary>
    public string[] ApiKeys { get; set; } = [];

    /// <summary>Requests per minute and key.</summary>
    public int PerMinute { get; set; } = 6000;

    internal void Read(IConfigurationSection section)
    {
        ApiKeys = section.List(nameof(ApiKeys)) ?? [];
        PerMinute = section.Whole(nameof(PerMinute), PerMinute);
    }

    internal string? Problem() => PerMinute < 1 ? "Signals:PerMinute has to be at least 1." : null;
}
