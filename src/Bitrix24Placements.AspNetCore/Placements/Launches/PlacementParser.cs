using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Placements;

/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/index.html</remarks>
internal static class PlacementParser
{
    /// <summary>Bitrix24's own names; any other in the query string is the handler's.</summary>
    private static readonly string[] WireNames =
    [
        "DOMAIN", "PROTOCOL", "LANG", "APP_SID", "AUTH_ID", "REFRESH_ID", "AUTH_EXPIRES", "SERVER_ENDPOINT", "APPLICATION_TOKEN",
        "APPLICATION_SCOPE", "member_id", "status", "PLACEMENT", "PLACEMENT_OPTIONS",
    ];

    private static readonly string OptionsExpected = $"A JSON object, at most {WireValues.MaxDepth} levels deep, is expected.";

    public static Checked<PlacementPost> Parse(WireForm form, PlacementExpectation expected)
    {
        Dictionary<string, string>? errors = null;
        var placement = Required("PLACEMENT"u8, expected.Find, expected.Message);
        // A worker load acts for nobody: its tokens are not even looked at.
        var person = expected.ActsForAPerson(placement);
        var post = new PlacementPost
        {
            Placement = placement,
            MemberId = Required("member_id"u8, WireValues.MemberId, "32 hexadecimal digits are expected."),
            Domain = Required("DOMAIN"u8, WireValues.Domain, "A host name, with a port or without, is expected."),
            Protocol = Required("PROTOCOL"u8, WireValues.Protocol, "1 (https) or 0 (http) is expected."),
            Language = Required("LANG"u8, WireValues.Language, "A language of two letters is expected."),
            ApplicationSid = Required("APP_SID"u8, WireValues.Sid, "Up to 128 visible ASCII characters are expected."),
            ApplicationStatus = WireValues.Status(form.Bytes("status"u8)),
            // Only ever compared: any letters will do, and what is cut is nobody's.
            ApplicationToken = new(form.Text("APPLICATION_TOKEN"u8, WireValues.MaxTokenLength) ?? ""),
            AccessToken = new(!person ? ""
                : Required("AUTH_ID"u8, WireValues.Token, "An access token of visible ASCII characters is expected.")),
            RefreshToken = new(!person ? "" : !expected.NeedsRefreshToken ? WireValues.Token(form.Bytes("REFRESH_ID"u8)) ?? ""
                : Required("REFRESH_ID"u8, WireValues.Token, "A refresh token of visible ASCII characters is expected.")),
            AccessExpires = int.TryParse(
                form.Bytes("AUTH_EXPIRES"u8), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : null,
            ServerEndpoint = person ? WireValues.ServerEndpoint(form.Bytes("SERVER_ENDPOINT"u8)) : null,
            Options = Read("PLACEMENT_OPTIONS"u8, WireValues.Options, OptionsExpected) ?? WireValues.NoOptions,
            HandlerQuery = form.QueryWithout(name => WireValues.OneOf(name, WireNames) is not null),
        };
        return errors is null ? post : Rejection.Malformed(errors);

        string Required(ReadOnlySpan<byte> name, Func<ReadOnlySpan<byte>, string?> read, string expectation) =>
            Read(name, read, expectation) ?? "";

        T? Read<T>(ReadOnlySpan<byte> name, Func<ReadOnlySpan<byte>, T?> read, string expectation)
            where T : class
        {
            var value = form.Bytes(name);
            var valid = read(value);
            if (valid is null)
                (errors ??= [])[Encoding.ASCII.GetString(name)] = value.Length == 0 ? "Missing. " + expectation : expectation;
            return valid;
        }
    }
}
