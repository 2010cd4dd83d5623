namespace Bitrix24Placements.Portals;

/// <summary>What the process keeps of a portal in memory, ready for the worker's answers.</summary>
internal sealed class KnownPortal(Portal portal)
{
    private readonly long _userId = portal.UserId;

    /// <summary>He may have been dismissed since, which nobody is told.</summary>
    private readonly DateTimeOffset _reserveIsFreshUntil = portal.Reserve is { IsAdministrator: true, Tokens.ExpiresAt: var expiresAt }
        ? expiresAt + TimeSpan.FromDays(1) : DateTimeOffset.MinValue;

    private readonly byte[]? _applicationTokenHash = portal.ApplicationTokenHash is { } hash ? Convert.FromHexString(hash) : null;

    // The next load's is compared with it and needs no hash.
    private byte[]? _accepted;

    public PortalId Id { get; } = portal.Id;

    public Uri ClientEndpoint { get; } = portal.ClientEndpoint;

    public Uri OAuthServer { get; } = portal.OAuthServer;

    // Authority leaves out the scheme's own port.
    public PortalAddress Address { get; } = new(portal.Id, portal.ClientEndpoint.Authority, portal.ClientEndpoint.Scheme);

    public PortalState State { get; } = portal.State;

    public long Epoch { get; } = portal.Epoch;

    public TokenState TokenState { get; } = portal.TokenState;

    /// <summary>There are none that work, or they are no administrator's.</summary>
    public bool NeedsTokens { get; } = portal.TokenState != TokenState.Good || !portal.IsAdministrator;

    /// <summary>Whether this administrator's would be a better reserve than none, a system user's or an old one.</summary>
    public bool WantsReserve(long userId, DateTimeOffset now) => userId != _userId && _reserveIsFreshUntil < now;

    public DateTimeOffset CheckedAt { get; } = portal.CheckedAt;

    /// <summary>In constant time; false where no token is known.</summary>
    public bool AcceptsApplicationToken(Secret token)
    {
        Span<byte> room = stackalloc byte[512];
        if (_applicationTokenHash is null || !Encoding.UTF8.TryGetBytes(token.Reveal(), room, out var length))
            return false;
        var bytes = room[..length];
        if (_accepted is { } accepted && CryptographicOperations.FixedTimeEquals(accepted, bytes))
            return true;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        if (!CryptographicOperations.FixedTimeEquals(_applicationTokenHash, hash))
            return false;
        _accepted = bytes.ToArray();
        return true;
    }

    internal Microsoft.Extensions.Primitives.StringValues WorkerPolicy { get; set; }

    /// <summary>Set on a hit, cleared by an eviction: its second chance.</summary>
    internal bool RecentlyUsed { get; set; }
}
