using System.Text.Unicode;

namespace Bitrix24Placements.Placements;

/// <summary>From bytes to what is kept, or null where they are not of that kind. Pure.</summary>
internal static class WireValues
{
    /// <summary>Also the deepest JSON that is read.</summary>
    public const int MaxDepth = 32;

    private const int MaxTokenLength = 2048;
    private const int MaxHostLength = 255;

    public static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value);

    public static string? Token(ReadOnlySpan<byte> value) => Visible(value, MaxTokenLength);

    public static string? Sid(ReadOnlySpan<byte> value) => Visible(value, 128);

    public static string? MemberId(ReadOnlySpan<byte> value)
    {
        if (value.Length != 32 || !ConsistsOf(value, char.IsAsciiHexDigit))
            return null;
        Span<byte> lower = stackalloc byte[32];
        Ascii.ToLower(value, lower, out _);
        return Encoding.ASCII.GetString(lower);
    }

    /// <summary>Without a default port. Never resolved, never connected to.</summary>
    public static string? Domain(ReadOnlySpan<byte> value)
    {
        if (value.Length is 0 or > MaxHostLength)
            return null;
        var colon = value.IndexOf((byte)':');
        var host = colon < 0 ? value : value[..colon];
        var port = colon < 0 ? default : value[(colon + 1)..];
        if (host.Length == 0 || host[0] is (byte)'.' or (byte)'-' || host.IndexOf(".."u8) >= 0)
            return null;
        if (!ConsistsOf(host, static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            return null;
        if (colon >= 0 && (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0))
            return null;
        if (port.SequenceEqual("80"u8) || port.SequenceEqual("443"u8))
            value = host;
        return Encoding.ASCII.GetString(value).ToLowerInvariant();
    }

    /// <summary><c>1</c> is https, <c>0</c> http.</summary>
    public static string? Protocol(ReadOnlySpan<byte> value) => Common(value, "1", "0");

    public static string? Language(ReadOnlySpan<byte> value) =>
        value.Length is < 2 or > 12 || !ConsistsOf(value, static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? null
        : Common(value, "en", "ru", "de", "la", "br", "ua", "fr", "pl") ?? Encoding.ASCII.GetString(value).ToLowerInvariant();

    public static string? Status(ReadOnlySpan<byte> value) =>
        value.Length is 0 or > 16 ? null : Common(value, "L", "F", "D", "T", "P", "S") ?? Text(value);

    /// <summary>PHP writes an empty array where it means an object without keys; both, and nothing at all, are empty here.</summary>
    public static byte[]? Options(ReadOnlySpan<byte> json) => json.Length == 0 ? [] : KindOf(json) switch
    {
        JsonTokenType.StartObject => json.ToArray(),
        JsonTokenType.StartArray => [],
        _ => null,
    };

    /// <summary>Every name and text is looked at: half of a surrogate pair, escaped, passes for JSON and throws wherever it is
    /// read.</summary>
    private static JsonTokenType KindOf(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            return JsonTokenType.None;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            var kind = reader.TokenType;
            var empty = true;
            while (reader.Read())
            {
                empty &= reader.TokenType == JsonTokenType.EndArray;
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped
                    && reader.ValueSpan.IndexOf("\\u"u8) >= 0)
                {
                    reader.GetString();
                }
            }

            return kind == JsonTokenType.StartObject || (kind == JsonTokenType.StartArray && empty) ? kind : JsonTokenType.None;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return JsonTokenType.None;
        }
    }

    private static string? Visible(ReadOnlySpan<byte> value, int maxLength) =>
        value.Length > 0 && value.Length <= maxLength && value.IndexOfAnyExceptInRange((byte)0x21, (byte)0x7E) < 0
            ? Encoding.ASCII.GetString(value)
            : null;

    /// <summary>Values that nearly every request holds need no string of their own.</summary>
    private static string? Common(ReadOnlySpan<byte> value, params ReadOnlySpan<string> common)
    {
        foreach (var text in common)
        {
            if (Ascii.Equals(value, text))
                return text;
        }

        return null;
    }

    private static bool ConsistsOf(ReadOnlySpan<byte> value, Func<char, bool> allowed)
    {
        foreach (var b in value)
        {
            if (!allowed((char)b))
                return false;
        }

        return true;
    }
}
