namespace Bitrix24Placements.Signals;

/// <summary>Section <c>Signals</c>.</summary>
public sealed class SignalsOptions
{
    public const string Section = "Signals";

    /// <summary>Keys of backends; none: every key is refused.</summary>
    public string[] ApiKeys { get; set; } = [];

    /// <summary>Requests per minute and key.</summary>
    public int PerMinute { get; set; } = 6000;
}
