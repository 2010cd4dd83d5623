using Bitrix24Placements.Apps;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Microsoft.AspNetCore.DataProtection;

namespace Bitrix24Placements;

/// <summary>Sessions for pages of confirmed users. Cookies do not work in a frame of another site, so the page sends its session as a
/// bearer token, which no other site can make a browser send. It holds the user's access token, encrypted, ends with that (an hour at most)
/// or with the installation, and is renewed by <c>fetchWithSession</c> of <c>session.js</c>.</summary>
public sealed class PageSessions
{
    private readonly Seal<StoredSession> _seal;
    private readonly PortalStore _portals;
    private readonly AppRegistry _apps;
    private readonly ServedPortals _served;
    private readonly TimeProvider _time;

    internal PageSessions(
        IDataProtectionProvider provider, PortalStore portals, AppRegistry apps, ServedPortals served, TimeProvider time)
    {
        _seal = new(provider, "Bitrix24Placements.PageSessions.v2", SessionJson.Default.StoredSession);
        (_portals, _apps, _served, _time) = (portals, apps, served, time);
    }

    /// <summary>A session as text for the page; empty where no user was confirmed. The page that carries it has to be <c>Cache-Control:
    /// no-store</c>.</summary>
    public string Create(PlacementRequest request) =>
        request is { Access: { } access, Confirmed: { } confirmed, Known: { } known }
            ? _seal.Close(new(
                access.Portal.MemberId, access.Portal.App, access.UserId, known.Epoch, confirmed.ExpiresAt.ToUnixTimeSeconds(),
                access.AccessToken.Reveal(), access.Endpoint, access.OAuthServer,
                StoredSession.Compress(LaunchContextJson.Write(request))))
            : "";

    /// <summary>Null for anything that is not a session of ours, has expired, or belongs to an installation that has ended.</summary>
    public ValueTask<PageSession?> ReadAsync(string token, CancellationToken cancellationToken) =>
        FindAsync(token, TimeSpan.Zero, cancellationToken);

    /// <param name="grace">So long an expired one is taken all the same.</param>
    internal ValueTask<PageSession?> ReadAsync(HttpContext context, TimeSpan grace = default) =>
        TokenOf(context) is { } token ? FindAsync(token, grace, context.RequestAborted) : new((PageSession?)null);

    internal static string? TokenOf(HttpContext context) =>
        context.Request.Headers.Authorization is [{ Length: > 7 } header]
            && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? header[7..].Trim()
            : null;

    private async ValueTask<PageSession?> FindAsync(string token, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (_seal.Open(token) is not { } stored || DateTimeOffset.FromUnixTimeSeconds(stored.Expires) + grace <= _time.GetUtcNow())
            return null;
        var id = new PortalId(stored.MemberId, stored.App);
        return await _portals.KnownAsync(id, cancellationToken) is { State: PortalState.Installed } known
            && known.Epoch == stored.Epoch && _served.Contains(known)
            // The portal may have moved since, and its old address may be somebody else's.
            ? new(stored with { Endpoint = known.ClientEndpoint }, known.Address, _apps.InfoOf(id)) : null;
    }

    internal string Renew(PageSession session, TokenInfo confirmed, Secret token) => _seal.Close(session.Stored with
    {
        Expires = confirmed.ExpiresAt.ToUnixTimeSeconds(),
        Token = token.Reveal(),
        Endpoint = confirmed.ClientEndpoint,
        Server = confirmed.Server,
    });
}
