namespace Bitrix24Placements.Portals;

internal sealed record PortalTokens(Secret Access, Secret Refresh, DateTimeOffset ExpiresAt)
{
    public string Serialize() => Access.Reveal() + "\n" + Refresh.Reveal();

    public static PortalTokens? Deserialize(string? text, DateTimeOffset expiresAt) =>
        text?.Split('\n') is [var access, var refresh] ? new(new(access), new(refresh), expiresAt) : null;
}

/// <summary>For when the first pair is refused for good.</summary>
internal sealed record PortalReserve(PortalTokens Tokens, long UserId, bool IsAdministrator)
{
    public long Version { get; init; }
}
