using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Bitrix24Placements.Placements;

/// <summary>What a placement's endpoint expects of a request.</summary>
/// <param name="Placements">Codes that it serves.</param>
/// <param name="NeedsAccessToken">Of which codes <c>AUTH_ID</c> has to be there.</param>
public sealed record PlacementExpectation(string[] Placements, Func<string, bool> NeedsAccessToken);

public readonly record struct ParsedPost(PlacementPost? Post, IReadOnlyDictionary<string, string>? Errors);

/// <summary>From a form to a typed post or to what is wrong with it, by wire name. Pure.</summary>
public static class PlacementParser
{
    private const int LongestToken = 2048;
    private const int LongestText = 255;

    /// <summary>Also the deepest JSON that is read.</summary>
    public const int DeepestOptions = 32;

    private static readonly HashSet<string> KnownNames = new(StringComparer.Ordinal)
    {
        "DOMAIN", "PROTOCOL", "LANG", "APP_SID", "AUTH_ID", "AUTH_EXPIRES", "REFRESH_ID", "SERVER_ENDPOINT", "APPLICATION_TOKEN", "APPLICATION_SCOPE",
        "member_id", "status", "PLACEMENT", "PLACEMENT_OPTIONS",
    };

    public static ParsedPost Parse(WireForm form, PlacementExpectation expected)
    {
        if (form.HasTooManyFields)
            return new(null, new Dictionary<string, string> { [""] = $"There are more than {WireForm.MostFields} fields." });
        var errors = new Errors();
        var placement = Required(form, "PLACEMENT"u8, ref errors, Array.Find(expected.Placements, p => Is(form, "PLACEMENT"u8, p)), $"This address serves {string.Join(", ", expected.Placements)}.");
        var accessToken = TokenText(form, "AUTH_ID"u8);
        if (accessToken is null && (placement is null ? expected.Placements.All(expected.NeedsAccessToken) : expected.NeedsAccessToken(placement)))
            errors.Add("AUTH_ID"u8, form, "An access token of visible ASCII characters is expected.");
        var post = new PlacementPost
        {
            Placement = placement ?? "",
            MemberId = Required(form, "member_id"u8, ref errors, MemberId(form), "32 hexadecimal digits are expected.") ?? "",
            Domain = Required(form, "DOMAIN"u8, ref errors, Domain(form), "A host name, with a port or without, is expected.") ?? "",
            IsHttps = Required(form, "PROTOCOL"u8, ref errors, Protocol(form), "1 (https) or 0 (http) is expected.") == "1",
            Language = Required(form, "LANG"u8, ref errors, Language(form), "A language of two letters is expected.") ?? "",
            ApplicationSid = Required(form, "APP_SID"u8, ref errors, TokenText(form, "APP_SID"u8, 128), "Up to 128 visible ASCII characters are expected.") ?? "",
            ApplicationStatus = Status(form),
            AccessToken = new(accessToken ?? ""),
            RefreshToken = new(TokenText(form, "REFRESH_ID"u8) ?? ""),
            AccessExpires = int.TryParse(form.Text("AUTH_EXPIRES"u8), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : null,
            ServerEndpoint = form.Text("SERVER_ENDPOINT"u8),
            ApplicationToken = new(TokenText(form, "APPLICATION_TOKEN"u8) ?? form.Text("APPLICATION_TOKEN"u8) ?? ""),
            Options = Options(form, ref errors),
            HandlerQuery = HandlerQuery(form),
        };
        return errors.Found is null ? new(post, null) : new(null, errors.Found);
    }

    private static string? Required(WireForm form, ReadOnlySpan<byte> name, ref Errors errors, string? value, string expectation)
    {
        if (value is null)
            errors.Add(name, form, expectation);
        return value;
    }

    private static bool Is(WireForm form, ReadOnlySpan<byte> name, string expected) =>
        form.TryGet(name, out var value) && value.Length == expected.Length && Ascii.Equals(value, expected);

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

    private static JsonElement Options(WireForm form, ref Errors errors)
    {
        if (!form.TryGet("PLACEMENT_OPTIONS"u8, out var value) || value.Length == 0)
            return default;
        if (ReadOptions(value) is { } options)
            return options;
        errors.Add("PLACEMENT_OPTIONS"u8, form, $"A JSON object, at most {DeepestOptions} levels deep, is expected.");
        return default;
    }

    /// <summary>An object; undefined for PHP's empty array, which means an object without keys; null for anything else.</summary>
    private static JsonElement? ReadOptions(ReadOnlySpan<byte> json)
    {
        try
        {
            if (!IsUnicode(json))
                return null;
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DeepestOptions });
            var options = JsonElement.ParseValue(ref reader);
            if (reader.Read())
                return null;
            return options.ValueKind switch
            {
                JsonValueKind.Object => options,
                JsonValueKind.Array when options.GetArrayLength() == 0 => default(JsonElement),
                _ => null,
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether every text in it can become a string: half of a surrogate pair, escaped, passes for JSON and throws wherever it is read.</summary>
    private static bool IsUnicode(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            return false;
        if (json.IndexOf("\\u"u8) < 0)
            return true;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DeepestOptions });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                    reader.GetString();
            }

            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static IReadOnlyDictionary<string, string> HandlerQuery(WireForm form)
    {
        Dictionary<string, string>? own = null;
        if (form.HasQuery)
        {
            foreach (var (name, value) in form.Query())
            {
                if (!KnownNames.Contains(name))
                    (own ??= new(StringComparer.Ordinal))[name] = value;
            }
        }

        return own ?? (IReadOnlyDictionary<string, string>)System.Collections.Frozen.FrozenDictionary<string, string>.Empty;
    }

    private ref struct Errors
    {
        public Dictionary<string, string>? Found { get; private set; }

        public void Add(ReadOnlySpan<byte> name, WireForm form, string expectation) =>
            (Found ??= new(StringComparer.Ordinal))[Encoding.ASCII.GetString(name)] = form.TryGet(name, out var value) && value.Length > 0 ? expectation : "Missing. " + expectation;
    }
}
