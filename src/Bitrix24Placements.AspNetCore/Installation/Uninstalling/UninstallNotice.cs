namespace Bitrix24Placements.Installation;

/// <param name="StillThere">How often the OAuth server has said so.</param>
/// <param name="WasAlive">Of the tokens when the notice came: if they have died since, the OAuth server has said what was to be
/// asked.</param>
internal sealed record UninstallNotice(bool Clean, long Epoch, int StillThere, bool WasAlive)
{
    public string Serialize() => JsonSerializer.Serialize(this, InstallationJson.Default.UninstallNotice);

    public static UninstallNotice? Read(string? payload) => payload switch
    {
        null or "" => null,
        ['{', ..] => JsonSerializer.Deserialize(payload, InstallationJson.Default.UninstallNotice),
        // As an earlier version wrote it.
        _ => payload.Split(' ') is [var clean, var epoch, _, var alive]
            ? new(clean == "1", long.Parse(epoch, CultureInfo.InvariantCulture), 0, alive == "1") : null,
    };
}
