using System.Buffers;
using System.Text.Unicode;

namespace Bitrix24Placements.Placements;

/// <summary>From bytes to what is kept, or null. Pure.</summary>
internal static class WireValues
{
    public const int MaxDepth = 32;

    public const int MaxTokenLength = 2048;
    private const int MaxHostLength = 255;

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    private static readonly SearchValues<byte> OfHosts =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"u8);

    public static string? Token(ReadOnlySpan<byte> value) => Visible(value, MaxTokenLength);

    public static string? ServerEndpoint(ReadOnlySpan<byte> value) => Visible(value, MaxHostLength);

    public static string? Sid(ReadOnlySpan<byte> value) => Visible(value, 128);

    public static string? MemberId(ReadOnlySpan<byte> value) =>
        value.Length == 32 && !value.ContainsAnyExcept(HexDigits) ? Encoding.ASCII.GetString(value).ToLowerInvariant() : null;

    /// <summary>Without a default port. Never resolved, never connected to.</summary>
    public static string? Domain(ReadOnlySpan<byte> value)
    {
        var colon = value.IndexOf((byte)':');
        var host = colon < 0 ? value : value[..colon];
        var port = colon < 0 ? "443"u8 : value[(colon + 1)..];
        if (value.Length > MaxHostLength || host is [] or [(byte)'.' or (byte)'-', ..] || host.IndexOf(".."u8) >= 0
            || host.ContainsAnyExcept(OfHosts)
            || !ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
            return null;
        var name = Encoding.ASCII.GetString(host).ToLowerInvariant();
        // Not every name of such letters makes an address.
        return Uri.CheckHostName(name) == UriHostNameType.Unknown ? null : number is 80 or 443 ? name : $"{name}:{number}";
    }

    public static string? Protocol(ReadOnlySpan<byte> value) => value switch
    {
        [(byte)'1'] => "https",
        [(byte)'0'] => "http",
        _ => null,
    };

    public static string? Language(ReadOnlySpan<byte> value) =>
        value.Length is < 2 or > 12 || value.ContainsAnyExcept(OfHosts) || value.Contains((byte)'.') ? null
        : OneOf(value, "en", "ru", "de", "la", "br", "ua", "fr", "pl") ?? Encoding.ASCII.GetString(value).ToLowerInvariant();

    public static string? Status(ReadOnlySpan<byte> value) =>
        value.Length is 0 or > 16 ? null : OneOf(value, "L", "F", "D", "T", "P", "S") ?? Encoding.UTF8.GetString(value);

    /// <summary>Each costs more to read and to write than to send.</summary>
    private const int MaxValues = 8192;

    public static readonly byte[] NoOptions = "{}"u8.ToArray();

    /// <summary>An object. PHP writes an empty array where it means one without keys.</summary>
    public static byte[]? Options(ReadOnlySpan<byte> json)
    {
        if (json.Length == 0)
            return NoOptions;
        if (!Utf8.IsValid(json))
            return null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            var (first, others) = (reader.TokenType, 0);
            for (; reader.Read(); others++)
            {
                if (others > MaxValues)
                    return null;
                // Half of a surrogate pair, escaped, passes for JSON and throws wherever it is read.
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped
                    && reader.ValueSpan.IndexOf("\\u"u8) >= 0)
                    reader.GetString();
            }

            return first == JsonTokenType.StartObject ? json.ToArray()
                : first == JsonTokenType.StartArray && others == 1 ? NoOptions : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Without a string of their own.</summary>
    public static string? OneOf(ReadOnlySpan<byte> value, params ReadOnlySpan<string> known)
    {
        foreach (var text in known)
        {
            if (Ascii.Equals(value, text))
                return text;
        }

        return null;
    }

    private static string? Visible(ReadOnlySpan<byte> value, int maxLength) =>
        value.Length > 0 && value.Length <= maxLength && !value.ContainsAnyExceptInRange((byte)'!', (byte)'~')
            ? Encoding.ASCII.GetString(value) : null;
}
