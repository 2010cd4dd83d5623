namespace Bitrix24Placements.PortalSimulator;

internal enum TokenState
{
    Valid,
    Expired,
    Dead,
}

/// <summary>An access or refresh token; changed only under the lock of its store.</summary>
internal sealed class SimToken(SimApp app, int userId, int installation, DateTimeOffset expires)
{
    public SimApp App => app;

    public SimPortal Portal => app.Portal;

    public int UserId => userId;

    public int Installation => installation;

    public DateTimeOffset Expires { get; set; } = expires;

    public bool Revoked { get; set; }

    /// <summary>Of a refresh token: the access token that was issued with it.</summary>
    public SimToken? Access { get; init; }
}

internal sealed class TokenStore(Bitrix24 bitrix)
{
    private static readonly TimeSpan RefreshLifetime = TimeSpan.FromDays(180);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, SimToken> _access = [];
    private readonly Dictionary<string, SimToken> _refresh = [];

    public IssuedTokens Issue(SimApp app, int userId, TimeSpan? lifetime = null)
    {
        lock (_gate) return IssueLocked(app, userId, lifetime ?? bitrix.Options.AccessTokenLifetime);
    }

    public SimToken? FindAccess(string? value)
    {
        lock (_gate) return value is null ? null : _access.GetValueOrDefault(value);
    }

    public SimToken? FindRefresh(string? value)
    {
        lock (_gate) return value is null ? null : _refresh.GetValueOrDefault(value);
    }

    public TokenState State(SimToken token)
    {
        lock (_gate) return StateLocked(token);
    }

    /// <summary>Strict rotation: of two that come with one token, one wins. Null is invalid_grant.</summary>
    public IssuedTokens? Rotate(SimToken refresh)
    {
        lock (_gate)
        {
            if (StateLocked(refresh) is not TokenState.Valid) return null;
            refresh.Revoked = true;
            if (bitrix.Options.RefreshRevokesAccessToken && refresh.Access is { } access) access.Revoked = true;
            return IssueLocked(refresh.App, refresh.UserId, bitrix.Options.AccessTokenLifetime);
        }
    }

    public void Expire(SimPortal portal)
    {
        lock (_gate)
        {
            var past = bitrix.Time.GetUtcNow() - TimeSpan.FromSeconds(1);
            foreach (var token in _access.Values.Where(token => token.Portal == portal && token.Expires > past))
                token.Expires = past;
        }
    }

    /// <param name="userId">Null: everybody's.</param>
    public void Revoke(SimPortal portal, int? userId = null)
    {
        lock (_gate)
        {
            var all = _access.Values.Concat(_refresh.Values).Where(token => token.Portal == portal);
            foreach (var token in all.Where(token => userId is null || token.UserId == userId))
                token.Revoked = true;
        }
    }

    public IReadOnlyList<string> All(SimPortal portal)
    {
        lock (_gate) return [.. _access.Concat(_refresh).Where(token => token.Value.Portal == portal).Select(token => token.Key)];
    }

    private IssuedTokens IssueLocked(SimApp app, int userId, TimeSpan lifetime)
    {
        var now = bitrix.Time.GetUtcNow();
        var (accessValue, refreshValue) = (bitrix.Secrets.NewKnown(70), bitrix.Secrets.NewKnown(70));
        var access = new SimToken(app, userId, app.Installation, now + lifetime);
        _access[accessValue] = access;
        _refresh[refreshValue] = new SimToken(app, userId, app.Installation, now + RefreshLifetime) { Access = access };
        return new IssuedTokens(accessValue, refreshValue, access.Expires, (int)lifetime.TotalSeconds);
    }

    // Expiry is told before anything else: the server looks at the token before it looks at the portal.
    private TokenState StateLocked(SimToken token) =>
        token.Revoked ? TokenState.Dead
        : token.Expires <= bitrix.Time.GetUtcNow() ? TokenState.Expired
        : !token.App.Installed || token.Installation != token.App.Installation ? TokenState.Dead
        : TokenState.Valid;
}
