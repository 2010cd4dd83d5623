using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Bitrix24Placements.Forms;

namespace Bitrix24Placements.Placements;

/// <summary>What a placement's endpoint expects of a request.</summary>
internal sealed class PlacementExpectation(params string[] placements)
{
    /// <summary>Codes that it serves.</summary>
    public IReadOnlyList<string> Placements { get; } = placements;

    internal string Message { get; } = $"This address serves {string.Join(", ", placements)}.";

    /// <summary>The expected code that was sent; null where it is none of them.</summary>
    internal string? Find(ReadOnlySpan<byte> sent)
    {
        foreach (var placement in placements)
        {
            if (Ascii.Equals(sent, placement))
                return placement;
        }

        return null;
    }

    /// <summary>Every page but the worker's acts for a person.</summary>
    internal bool ActsForAPerson(string? placement) => (placement ?? placements[0]) != PlacementCatalogue.BackgroundWorker;
}

internal readonly record struct ParsedPost(PlacementPost? Post, IReadOnlyDictionary<string, string>? Errors);

/// <summary>From a form to a typed post or to what is wrong with it, by wire name. Pure.</summary>
internal static class PlacementParser
{
    private const int LongestToken = 2048;
    private const int LongestText = 255;

    /// <summary>Also the deepest JSON that is read.</summary>
    public const int DeepestOptions = 32;

    public static ParsedPost Parse(WireForm form, PlacementExpectation expected)
    {
        if (form.HasTooManyFields)
            return new(null, new Dictionary<string, string> { [""] = $"There are more than {WireForm.MostFields} fields." });
        var errors = new Errors();
        form.TryGet("PLACEMENT"u8, out var sent);
        var placement = Required(form, "PLACEMENT"u8, ref errors, expected.Find(sent), expected.Message);
        var person = expected.ActsForAPerson(placement);
        var accessToken = person ? Required(form, "AUTH_ID"u8, ref errors, TokenText(form, "AUTH_ID"u8), "An access token of visible ASCII characters is expected.") : null;
        var post = new PlacementPost
        {
            Placement = placement ?? "",
            MemberId = Required(form, "member_id"u8, ref errors, MemberId(form), "32 hexadecimal digits are expected.") ?? "",
            Domain = Required(form, "DOMAIN"u8, ref errors, Domain(form), "A host name, with a port or without, is expected.") ?? "",
            IsHttps = Required(form, "PROTOCOL"u8, ref errors, Protocol(form), "1 (https) or 0 (http) is expected.") == "1",
            Language = Required(form, "LANG"u8, ref errors, Language(form), "A language of two letters is expected.") ?? "",
            ApplicationSid = Required(form, "APP_SID"u8, ref errors, TokenText(form, "APP_SID"u8, 128), "Up to 128 visible ASCII characters are expected.") ?? "",
            ApplicationStatus = Status(form),
            ApplicationToken = new(form.Text("APPLICATION_TOKEN"u8) ?? ""),
            AccessExpires = form.TryGet("AUTH_EXPIRES"u8, out var seconds) && int.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var life) ? life : null,
            Options = Options(form, ref errors),
            HandlerQuery = HandlerQuery(form),
            // A worker load acts for nobody: its tokens are not even looked at.
            AccessToken = new(accessToken ?? ""),
            RefreshToken = new((person ? TokenText(form, "REFRESH_ID"u8) : null) ?? ""),
            ServerEndpoint = person ? form.Text("SERVER_ENDPOINT"u8) : null,
        };
        return errors.Found is null ? new(post, null) : new(null, errors.Found);
    }

    private static string? Required(WireForm form, ReadOnlySpan<byte> name, ref Errors errors, string? value, string expectation)
    {
        if (value is null)
            errors.Add(name, form, expectation);
        return value;
    }

    private static string? MemberId(WireForm form)
    {
        if (!form.TryGet("member_id"u8, out var value) || value.Length != 32)
            return null;
        foreach (var b in value)
        {
            if (!char.IsAsciiHexDigit((char)b))
                return null;
        }

        return string.Create(32, value, static (text, bytes) =>
        {
            for (var i = 0; i < bytes.Length; i++)
                text[i] = char.ToLowerInvariant((char)bytes[i]);
        });
    }

    /// <summary>Lower case, without a default port. A claim: never resolved, never connected to.</summary>
    private static string? Domain(WireForm form)
    {
        if (!form.TryGet("DOMAIN"u8, out var value) || value.Length is 0 or > LongestText)
            return null;
        var colon = value.IndexOf((byte)':');
        var host = colon < 0 ? value : value[..colon];
        var port = colon < 0 ? default : value[(colon + 1)..];
        if (host.Length == 0 || host[0] is (byte)'.' or (byte)'-' || host.IndexOf(".."u8) >= 0)
            return null;
        foreach (var b in host)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'.' or (byte)'-' or (byte)'_'))
                return null;
        }

        if (colon >= 0 && (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0))
            return null;
        if (port.SequenceEqual("80"u8) || port.SequenceEqual("443"u8))
            value = host;
        return Encoding.ASCII.GetString(value).ToLowerInvariant();
    }

    private static string? Protocol(WireForm form) =>
        form.TryGet("PROTOCOL"u8, out var value) && value.Length == 1 ? value[0] switch { (byte)'1' => "1", (byte)'0' => "0", _ => null } : null;

    private static string? Language(WireForm form)
    {
        if (!form.TryGet("LANG"u8, out var value) || value.Length is < 2 or > 12)
            return null;
        foreach (var b in value)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'-' or (byte)'_'))
                return null;
        }

        return Common(value, "en", "ru", "de", "la", "br", "ua", "fr", "pl") ?? Encoding.ASCII.GetString(value).ToLowerInvariant();
    }

    private static string? Status(WireForm form) =>
        form.TryGet("status"u8, out var value) && value.Length is > 0 and <= 16 ? Common(value, "L", "F", "D", "T", "P", "S") ?? Encoding.UTF8.GetString(value) : null;

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

    private static string? TokenText(WireForm form, ReadOnlySpan<byte> name, int longest = LongestToken) =>
        form.TryGet(name, out var value) && value.Length > 0 && value.Length <= longest && value.IndexOfAnyExceptInRange((byte)0x21, (byte)0x7E) < 0
            ? Encoding.ASCII.GetString(value)
            : null;

    private static byte[]? Options(WireForm form, ref Errors errors)
    {
        if (!form.TryGet("PLACEMENT_OPTIONS"u8, out var json) || json.Length == 0)
            return null;
        switch (KindOf(json))
        {
            case JsonTokenType.StartObject:
                return json.ToArray();
            // PHP writes an empty array where it means an object without keys.
            case JsonTokenType.StartArray:
                return null;
            default:
                errors.Add("PLACEMENT_OPTIONS"u8, form, $"A JSON object, at most {DeepestOptions} levels deep, is expected.");
                return null;
        }
    }

    /// <summary>An object, an empty array, or none: anything else. Every name and text is looked at: half of a surrogate pair, escaped, passes for JSON and throws wherever it is read.</summary>
    private static JsonTokenType KindOf(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            return JsonTokenType.None;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DeepestOptions });
            reader.Read();
            var kind = reader.TokenType;
            var empty = true;
            while (reader.Read())
            {
                empty &= reader.TokenType == JsonTokenType.EndArray;
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped && reader.ValueSpan.IndexOf("\\u"u8) >= 0)
                    reader.GetString();
            }

            return kind == JsonTokenType.StartObject || (kind == JsonTokenType.StartArray && empty) ? kind : JsonTokenType.None;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return JsonTokenType.None;
        }
    }

    private static IReadOnlyDictionary<string, string> HandlerQuery(WireForm form) =>
        form.QueryWithout(IsBitrix24s) ?? (IReadOnlyDictionary<string, string>)System.Collections.Frozen.FrozenDictionary<string, string>.Empty;

    private static bool IsBitrix24s(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 => name.SequenceEqual("LANG"u8),
        6 => name.SequenceEqual("DOMAIN"u8) || name.SequenceEqual("status"u8),
        7 => name.SequenceEqual("APP_SID"u8) || name.SequenceEqual("AUTH_ID"u8),
        8 => name.SequenceEqual("PROTOCOL"u8),
        9 => name.SequenceEqual("member_id"u8) || name.SequenceEqual("PLACEMENT"u8),
        10 => name.SequenceEqual("REFRESH_ID"u8),
        12 => name.SequenceEqual("AUTH_EXPIRES"u8),
        15 => name.SequenceEqual("SERVER_ENDPOINT"u8),
        17 => name.SequenceEqual("APPLICATION_TOKEN"u8) || name.SequenceEqual("APPLICATION_SCOPE"u8) || name.SequenceEqual("PLACEMENT_OPTIONS"u8),
        _ => false,
    };

    private ref struct Errors
    {
        public Dictionary<string, string>? Found { get; private set; }

        public void Add(ReadOnlySpan<byte> name, WireForm form, string expectation) =>
            (Found ??= new(StringComparer.Ordinal))[Encoding.ASCII.GetString(name)] = form.TryGet(name, out var value) && value.Length > 0 ? expectation : "Missing. " + expectation;
    }
}
