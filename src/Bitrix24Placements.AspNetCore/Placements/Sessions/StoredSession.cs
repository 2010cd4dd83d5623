using System.IO.Compression;

namespace Bitrix24Placements.Placements;

/// <summary>A session's text, encrypted and signed.</summary>
/// <param name="Expires">With the user's token, in Unix seconds.</param>
internal sealed record StoredSession(
    string MemberId, string App, long UserId, long Epoch, long Expires, string Token, Uri Endpoint, Uri Server, byte[]? Context)
{
    /// <summary>Twice as long as text, which a header has to hold beside the others: the server takes 8 KiB in all.</summary>
    private const int MaxContextBytes = 3 * 1024;

    /// <summary>Null where it is too large.</summary>
    public static byte[]? Compress(byte[]? json)
    {
        if (json is null)
            return null;
        var compressed = new byte[MaxContextBytes];
        return BrotliEncoder.TryCompress(json, compressed, out var length, quality: 1, window: 22) ? compressed[..length] : null;
    }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"{App}@{MemberId}, user {UserId}";

    public byte[]? ReadContext()
    {
        // The generated serializer writes null as an empty text.
        if (Context is not { Length: > 0 })
            return null;
        using var json = new MemoryStream();
        using (var brotli = new BrotliStream(new MemoryStream(Context), CompressionMode.Decompress))
            brotli.CopyTo(json);
        return json.ToArray();
    }
}

[JsonSerializable(typeof(StoredSession))]
internal sealed partial class SessionJson : JsonSerializerContext;
