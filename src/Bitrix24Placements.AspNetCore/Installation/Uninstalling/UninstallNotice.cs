namespace Bitrix24Placements.Installation;

/// <param name="StillThere">How often the OAuth server has said so.</param>
/// <param name="WasAlive">The tokens, when the notice came: if they have died since, that is the OAuth server's word.</param>
/// <param name="FirstToldAt">Null from an earlier version: when the row was made.</param>
internal sealed record UninstallNotice(bool Clean, long Epoch, int StillThere, bool WasAlive, DateTimeOffset? FirstToldAt)
{
    /// <summary>Of two notices that wait, the careful one wins: what is kept can still be deleted.</summary>
    public UninstallNotice With(UninstallNotice? waiting) =>
        waiting?.Epoch == Epoch ? this with
        {
            Clean = Clean && waiting.Clean,
            WasAlive = waiting.WasAlive,
            FirstToldAt = waiting.FirstToldAt ?? FirstToldAt,
        } : this;

    public string Serialize() => JsonSerializer.Serialize(this, InstallationJson.Default.UninstallNotice);

    public static UninstallNotice? Read(string? payload) => payload switch
    {
        null or "" => null,
        ['{', ..] => JsonSerializer.Deserialize(payload, InstallationJson.Default.UninstallNotice),
        // An earlier version's.
        _ => payload.Split(' ') is [var clean, var epoch, _, var alive]
            ? new(clean == "1", long.Parse(epoch, CultureInfo.InvariantCulture), 0, alive == "1", null) : null,
    };
}
