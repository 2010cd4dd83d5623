namespace Bitrix24Placements.Portals;

/// <summary>What the process keeps of a portal in memory, ready for the worker's answers.</summary>
internal sealed class KnownPortal
{
    /// <summary>The next load's is compared with it and needs no hash. In this memory alone.</summary>
    private byte[]? _accepted;

    private readonly long _userId;
    private readonly bool _isAdministrator;
    private readonly bool _hasAdministratorsReserve;

    internal KnownPortal(Portal portal)
    {
        Id = portal.Id;
        ClientEndpoint = portal.ClientEndpoint;
        OAuthServer = portal.OAuthServer;
        Domain = portal.ClientEndpoint.IsDefaultPort ? portal.ClientEndpoint.Host : portal.ClientEndpoint.Authority;
        Origin = portal.ClientEndpoint.GetLeftPart(UriPartial.Authority);
        Address = new(Id, Domain, portal.ClientEndpoint.Scheme);
        State = portal.State;
        Epoch = portal.Epoch;
        TokenState = portal.TokenState;
        CheckedAt = portal.CheckedAt;
        _userId = portal.UserId;
        _isAdministrator = portal.IsAdministrator;
        _hasAdministratorsReserve = portal.Reserve is { IsAdministrator: true };
        ApplicationTokenHash = portal.ApplicationTokenHash is { } hash ? Convert.FromHexString(hash) : null;
    }

    public PortalId Id { get; }

    public Uri ClientEndpoint { get; }

    public Uri OAuthServer { get; }

    /// <summary>Host, with its port where that is not the scheme's own.</summary>
    public string Domain { get; }

    public string Origin { get; }

    public PortalAddress Address { get; }

    public PortalState State { get; }

    public long Epoch { get; }

    public TokenState TokenState { get; }

    /// <summary>There are none that work, or they are no administrator's.</summary>
    public bool NeedsTokens => TokenState != TokenState.Good || !_isAdministrator;

    /// <summary>Whether this administrator's tokens would be a reserve where there is none, or only a system user's.</summary>
    public bool WantsReserve(long userId) => userId != _userId && !_hasAdministratorsReserve;

    public DateTimeOffset CheckedAt { get; }

    internal byte[]? ApplicationTokenHash { get; }

    /// <summary>Compares in constant time; false where no token is known.</summary>
    public bool AcceptsApplicationToken(ReadOnlySpan<byte> token)
    {
        if (_accepted is { } accepted && CryptographicOperations.FixedTimeEquals(accepted, token))
            return true;
        if (ApplicationTokenHash is not { } expected || !ApplicationToken.Matches(expected, token))
            return false;
        _accepted = token.ToArray();
        return true;
    }

    public bool AcceptsApplicationToken(Secret token)
    {
        Span<byte> bytes = stackalloc byte[512];
        return Encoding.UTF8.TryGetBytes(token.Reveal(), bytes, out var length) && AcceptsApplicationToken(bytes[..length]);
    }

    internal Microsoft.Extensions.Primitives.StringValues WorkerPolicy { get; set; }

    /// <summary>Set on a hit, cleared by the directory's eviction: its second chance.</summary>
    internal bool RecentlyUsed { get; set; }
}
