using System.Buffers.Text;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Microsoft.AspNetCore.DataProtection;

namespace Bitrix24Placements;

/// <summary>Sessions for pages of confirmed users. Cookies do not work in a frame of another site, so the page sends its session as a
/// bearer token: no other site can make a browser send it, which is what protects from request forgery. It holds the user's access token,
/// encrypted, ends with that (an hour at most) or with the installation, and is renewed by <c>fetchWithSession</c> of
/// <c>session.js</c>.</summary>
public sealed class PageSessions
{
    /// <summary>Compressed. A header has to hold it; a larger context is left out of the session.</summary>
    private const int MaxContextBytes = 12 * 1024;

    private readonly IDataProtector _protector;
    private readonly PortalStore _portals;
    private readonly AppRegistry _apps;
    private readonly TimeProvider _time;

    internal PageSessions(IDataProtectionProvider provider, PortalStore portals, AppRegistry apps, TimeProvider time)
    {
        _protector = provider.CreateProtector("Bitrix24Placements.PageSessions.v2");
        (_portals, _apps, _time) = (portals, apps, time);
    }

    /// <summary>A session as text for the page; empty where no user was confirmed. The page that carries it has to be <c>Cache-Control:
    /// no-store</c>.</summary>
    public string Create(PlacementRequest request)
    {
        if (request is not { Access: { } access, Confirmed: { } confirmed, Known: { } known })
            return "";
        var context = Compress(LaunchContextJson.Write(request));
        return Protect(access, request.Placement, known.Epoch, confirmed.ExpiresAt, context.Length <= MaxContextBytes ? context : null);
    }

    /// <summary>Null for anything that is not a session of ours, has expired, or belongs to an installation that has ended.</summary>
    public async ValueTask<PageSession?> ReadAsync(string token, CancellationToken cancellationToken) =>
        await FindAsync(token, TimeSpan.Zero, cancellationToken) is var (session, _) ? session : null;

    /// <summary>That of the request's <c>Authorization: Bearer</c>.</summary>
    internal ValueTask<PageSession?> ReadAsync(HttpContext context) =>
        TokenOf(context) is { } token ? ReadAsync(token, context.RequestAborted) : new((PageSession?)null);

    internal static string? TokenOf(HttpContext context) =>
        context.Request.Headers.Authorization is [{ Length: > 7 } header]
            && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? header[7..].Trim()
            : null;

    /// <param name="grace">So long an expired one is taken all the same.</param>
    internal async ValueTask<(PageSession Session, StoredSession Stored)?> FindAsync(
        string token, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (Open(token) is not { } stored)
            return null;
        var expiresAt = DateTimeOffset.FromUnixTimeSeconds(stored.Expires);
        if (expiresAt + grace <= _time.GetUtcNow() || !Uri.TryCreate(stored.Endpoint, UriKind.Absolute, out var endpoint)
            || !Uri.TryCreate(stored.Server, UriKind.Absolute, out var server))
        {
            return null;
        }

        var id = new PortalId(stored.MemberId, stored.App);
        if (!_apps.Serves(id) || await _portals.KnownAsync(id, cancellationToken) is not { State: PortalState.Installed } known
            || known.Epoch != stored.Epoch)
        {
            return null;
        }

        var access = new UserAccess(id, endpoint, server, stored.UserId, new(stored.Token));
        var context = stored.Context is { Length: > 0 } compressed ? Decompress(compressed) : null;
        return (new(known.Address, _apps.Find(id.App)?.Info ?? new(id.App, ""), access, stored.Placement, expiresAt, context), stored);
    }

    /// <summary>The same page's, with another token of the same user.</summary>
    internal string Renew(StoredSession stored, TokenInfo confirmed, Secret token) => Protect(
        new(confirmed.Id, confirmed.ClientEndpoint, confirmed.Server, confirmed.UserId, token), stored.Placement, stored.Epoch,
            confirmed.ExpiresAt, stored.Context);

    private string Protect(UserAccess access, string placement, long epoch, DateTimeOffset expiresAt, byte[]? context)
    {
        var stored = new StoredSession(
            access.Portal.MemberId, access.Portal.App, access.UserId, placement, epoch, expiresAt.ToUnixTimeSeconds(),
            access.AccessToken.Reveal(),
            access.Endpoint.AbsoluteUri, access.OAuthServer.AbsoluteUri, context);
        return Base64Url.EncodeToString(_protector.Protect(JsonSerializer.SerializeToUtf8Bytes(stored, SessionJson.Default.StoredSession)));
    }

    private StoredSession? Open(string token)
    {
        try
        {
            return JsonSerializer.Deserialize(_protector.Unprotect(Base64Url.DecodeFromChars(token)), SessionJson.Default.StoredSession);
        }
        catch (Exception e) when (e is CryptographicException or FormatException or JsonException)
        {
            return null;
        }
    }

    private static byte[] Compress(byte[] text)
    {
        using var compressed = new MemoryStream();
        using (var brotli = new BrotliStream(compressed, CompressionLevel.Fastest))
            brotli.Write(text);
        return compressed.ToArray();
    }

    private static byte[] Decompress(byte[] compressed)
    {
        using var text = new MemoryStream();
        using (var brotli = new BrotliStream(new MemoryStream(compressed), CompressionMode.Decompress))
            brotli.CopyTo(text);
        return text.ToArray();
    }
}

/// <summary>What stands in a session's text, encrypted and signed.</summary>
internal sealed record StoredSession(
    string MemberId, string App, long UserId, string Placement, long Epoch, long Expires, string Token, string Endpoint, string Server,
        byte[]? Context);

[JsonSerializable(typeof(StoredSession))]
internal sealed partial class SessionJson : JsonSerializerContext;
