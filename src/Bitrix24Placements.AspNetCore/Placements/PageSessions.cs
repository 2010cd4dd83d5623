using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Microsoft.AspNetCore.DataProtection;

namespace Bitrix24Placements;

/// <summary>What a page's session opens: that page's own launch, until its user's token would have expired.</summary>
/// <param name="Context">The launch context as JSON; null where it was too large to be kept.</param>
public sealed record PageSession(string MemberId, long UserId, string Placement, byte[]? Context);

/// <summary>Sessions for pages of confirmed users. Cookies do not work in a frame of another site, so the page sends its session as a bearer token.</summary>
public sealed class PageSessions
{
    /// <summary>Compressed. A header has to hold it; a larger context is left out of the session.</summary>
    private const int LargestContext = 12 * 1024;

    private readonly IDataProtector _protector;
    private readonly PortalStore _portals;
    private readonly TimeProvider _time;

    internal PageSessions(IDataProtectionProvider provider, PortalStore portals, TimeProvider time) =>
        (_protector, _portals, _time) = (provider.CreateProtector("Bitrix24Placements.PageSessions.v1"), portals, time);

    /// <summary>Empty where no user was confirmed.</summary>
    public string Create(PlacementRequest request)
    {
        if (request is not { Confirmed: { } confirmed, Known: { } known })
            return "";
        var context = Compress(LaunchContextJson.Write(request));
        var session = new StoredSession(
            known.Id.MemberId, confirmed.UserId, request.Placement, known.Epoch, confirmed.ExpiresAt.ToUnixTimeSeconds(),
            context.Length <= LargestContext ? context : null);
        return Base64UrlEncode(_protector.Protect(JsonSerializer.SerializeToUtf8Bytes(session, SessionJson.Default.StoredSession)));
    }

    /// <summary>Null for anything that is not a session of ours, has expired, or belongs to an installation that has ended.</summary>
    public async ValueTask<PageSession?> ReadAsync(string token, CancellationToken cancellationToken)
    {
        if (Open(token) is not { } session || session.Expires <= _time.GetUtcNow().ToUnixTimeSeconds())
            return null;
        return await _portals.KnownAsync(new(session.MemberId), cancellationToken) is { State: PortalState.Installed } known && known.Epoch == session.Epoch
            ? new(session.MemberId, session.UserId, session.Placement, session.Context is { Length: > 0 } context ? Decompress(context) : null)
            : null;
    }

    private StoredSession? Open(string token)
    {
        try
        {
            var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(token);
            return JsonSerializer.Deserialize(_protector.Unprotect(bytes), SessionJson.Default.StoredSession);
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

    private static string Base64UrlEncode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}

internal sealed record StoredSession(string MemberId, long UserId, string Placement, long Epoch, long Expires, byte[]? Context);

[System.Text.Json.Serialization.JsonSerializable(typeof(StoredSession))]
internal sealed partial class SessionJson : System.Text.Json.Serialization.JsonSerializerContext;
