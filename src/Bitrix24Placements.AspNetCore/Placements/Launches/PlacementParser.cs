using System.Collections.Frozen;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Placements;

/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/index.html</remarks>
internal static class PlacementParser
{
    /// <summary>Bitrix24's own names; any other in the query string is the handler's.</summary>
    private static readonly byte[][] WireNames = [.. new[]
    {
        "DOMAIN", "PROTOCOL", "LANG", "APP_SID", "AUTH_ID", "REFRESH_ID", "AUTH_EXPIRES", "SERVER_ENDPOINT", "APPLICATION_TOKEN",
        "APPLICATION_SCOPE", "member_id", "status", "PLACEMENT", "PLACEMENT_OPTIONS",
    }.Select(Encoding.ASCII.GetBytes)];

    public static Checked<PlacementPost> Parse(WireForm form, PlacementExpectation expected)
    {
        var fields = new Fields(form);
        var placement = fields.Required("PLACEMENT"u8, expected.Find, expected.Message);
        // A worker load acts for nobody: its tokens are not even looked at.
        var person = expected.ActsForAPerson(placement);
        var post = new PlacementPost
        {
            Placement = placement,
            MemberId = fields.Required("member_id"u8, WireValues.MemberId, "32 hexadecimal digits are expected."),
            Domain = fields.Required("DOMAIN"u8, WireValues.Domain, "A host name, with a port or without, is expected."),
            IsHttps = fields.Required("PROTOCOL"u8, WireValues.Protocol, "1 (https) or 0 (http) is expected.") == "1",
            Language = fields.Required("LANG"u8, WireValues.Language, "A language of two letters is expected."),
            ApplicationSid = fields.Required("APP_SID"u8, WireValues.Sid, "Up to 128 visible ASCII characters are expected."),
            ApplicationStatus = fields.Optional("status"u8, WireValues.Status),
            ApplicationToken = new(fields.Optional("APPLICATION_TOKEN"u8, WireValues.Text) ?? ""),
            AccessToken = new(!person ? ""
                : fields.Required("AUTH_ID"u8, WireValues.Token, "An access token of visible ASCII characters is expected.")),
            RefreshToken = new(!person ? "" : !expected.NeedsRefreshToken ? fields.Optional("REFRESH_ID"u8, WireValues.Token) ?? ""
                : fields.Required("REFRESH_ID"u8, WireValues.Token, "A refresh token of visible ASCII characters is expected.")),
            AccessExpires = fields.Number("AUTH_EXPIRES"u8),
            ServerEndpoint = person ? fields.Optional("SERVER_ENDPOINT"u8, WireValues.Text) : null,
            Options = fields.Required(
                "PLACEMENT_OPTIONS"u8, WireValues.Options, $"A JSON object, at most {WireValues.MaxDepth} levels deep, is expected.", []),
            HandlerQuery = form.QueryWithout(IsWireName) ?? (IReadOnlyDictionary<string, string>)FrozenDictionary<string, string>.Empty,
        };
        return fields.Errors is null ? post : Rejection.Malformed(fields.Errors);
    }

    private static bool IsWireName(ReadOnlySpan<byte> name)
    {
        foreach (var known in WireNames)
        {
            if (name.SequenceEqual(known))
                return true;
        }

        return false;
    }

    private delegate T? Reading<T>(ReadOnlySpan<byte> value)
        where T : class;

    private ref struct Fields(WireForm form)
    {
        public Dictionary<string, string>? Errors { get; private set; }

        public readonly string? Optional(ReadOnlySpan<byte> name, Reading<string> read) =>
            form.TryGet(name, out var value) ? read(value) : null;

        public readonly int? Number(ReadOnlySpan<byte> name) =>
            form.TryGet(name, out var value) && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number : null;

        public string Required(ReadOnlySpan<byte> name, Reading<string> read, string expectation) => Required(name, read, expectation, "");

        public T Required<T>(ReadOnlySpan<byte> name, Reading<T> read, string expectation, T otherwise)
            where T : class
        {
            form.TryGet(name, out var value);
            if (read(value) is { } valid)
                return valid;
            (Errors ??= [])[Encoding.ASCII.GetString(name)] =
                value.Length == 0 ? "Missing. " + expectation : expectation;
            return otherwise;
        }
    }
}
