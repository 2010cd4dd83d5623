namespace Bitrix24Placements.Portals;

/// <summary>The tokens of a user on whose behalf the service calls the portal.</summary>
internal sealed record PortalTokens(Secret Access, Secret Refresh, DateTimeOffset ExpiresAt)
{
    /// <summary>As they are encrypted, in one piece; when they expire stands beside them.</summary>
    public string Serialize() => Access.Reveal() + "\n" + Refresh.Reveal();

    public static PortalTokens? Deserialize(string? text, DateTimeOffset expiresAt) =>
        text?.Split('\n') is [var access, var refresh] ? new(new(access), new(refresh), expiresAt) : null;
}

/// <summary>A second pair of tokens, of another user: calls go on with it when the first is refused for good.</summary>
/// <param name="IsAdministrator">Nobody else's tokens bind placements.</param>
internal sealed record PortalReserve(PortalTokens Tokens, long UserId, bool IsAdministrator)
{
    /// <summary>Grows with every change of the reserve.</summary>
    public long Version { get; init; }

    public DateTimeOffset RenewedAt { get; init; }
}
