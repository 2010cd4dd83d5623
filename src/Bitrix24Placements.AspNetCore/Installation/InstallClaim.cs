using System.Globalization;
using System.Text.Json.Nodes;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Installation;

/// <summary>Somebody says that the app was installed or updated, by the wizard or by an event. Nothing in it is believed yet.</summary>
internal sealed record InstallClaim
{
    public required string MemberId { get; init; }

    public required Secret Access { get; init; }

    public required Secret Refresh { get; init; }

    public string? ServerEndpoint { get; init; }

    public Secret ApplicationToken { get; init; }

    public static InstallClaim From(PlacementPost post) => new()
    {
        MemberId = post.MemberId,
        Access = post.AccessToken,
        Refresh = post.RefreshToken,
        ServerEndpoint = post.ServerEndpoint,
        ApplicationToken = post.ApplicationToken,
    };

    /// <summary>From <c>auth[…]</c> of ONAPPINSTALL and ONAPPUPDATE, or what is missing in it.</summary>
    /// <remarks>https://apidocs.bitrix24.com/api-reference/common/events/on-app-install.html</remarks>
    public static (InstallClaim? Claim, Rejection? Rejection) Read(WireForm form)
    {
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        var memberId = AppEvent.MemberId(form);
        if (memberId is null)
            errors["auth[member_id]"] = "32 hexadecimal digits are expected.";
        var access = form.Text("auth[access_token]"u8);
        if (!IsToken(access))
            errors["auth[access_token]"] = "An access token of visible ASCII characters is expected.";
        var refresh = form.Text("auth[refresh_token]"u8);
        if (!IsToken(refresh))
            errors["auth[refresh_token]"] = "A refresh token of visible ASCII characters is expected.";
        return errors.Count > 0
            ? (null, Rejection.Malformed(errors))
            : (new()
            {
                MemberId = memberId!,
                Access = new(access!),
                Refresh = new(refresh!),
                ServerEndpoint = form.Text("auth[server_endpoint]"u8),
                ApplicationToken = new(form.Text("auth[application_token]"u8) ?? ""),
            }, null);
    }

    private static bool IsToken(string? text) => text is { Length: > 0 and <= 2048 } && text.All(static c => c is > ' ' and < (char)0x7F);

    /// <summary>For keeping, to be encrypted.</summary>
    public string Serialize() => new JsonObject
    {
        ["a"] = Access.Reveal(),
        ["r"] = Refresh.Reveal(),
        ["s"] = ServerEndpoint,
        ["t"] = ApplicationToken.Reveal(),
    }.ToJsonString();

    public static InstallClaim Deserialize(string memberId, string text)
    {
        var json = JsonNode.Parse(text)!;
        return new()
        {
            MemberId = memberId,
            Access = new((string)json["a"]!),
            Refresh = new((string)json["r"]!),
            ServerEndpoint = (string?)json["s"],
            ApplicationToken = new((string)json["t"]!),
        };
    }
}

/// <summary>Fields that every event has.</summary>
internal static class AppEvent
{
    /// <summary>In upper case: events' names come in any.</summary>
    public static string? Name(WireForm form) => form.Text("event"u8) is { Length: > 0 and <= 100 } name ? name.ToUpper(CultureInfo.InvariantCulture) : null;

    public static string? MemberId(WireForm form) =>
        form.Text("auth[member_id]"u8) is { Length: 32 } id && id.All(char.IsAsciiHexDigit) ? id.ToLowerInvariant() : null;
}
