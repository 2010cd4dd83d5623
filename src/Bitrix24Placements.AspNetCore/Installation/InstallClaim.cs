using Bitrix24Placements.Events;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Installation;

/// <summary>Somebody says that the app was installed or updated. Nothing in it is believed yet.</summary>
internal sealed record InstallClaim(string MemberId, Secret Access, Secret Refresh, string? ServerEndpoint, Secret ApplicationToken)
{
    /// <summary>From which it came; empty where that is not known any more.</summary>
    public string Address { get; init; } = "";

    public Asker Who => new(Address, MemberId, ApplicationToken);

    public required DateTimeOffset ToldAt { get; init; }

    public static InstallClaim From(PlacementPost post, string address, DateTimeOffset toldAt) =>
        new(post.MemberId, post.AccessToken, post.RefreshToken, post.ServerEndpoint, post.ApplicationToken)
        {
            Address = address,
            ToldAt = toldAt,
        };

    /// <remarks>https://apidocs.bitrix24.com/api-reference/common/events/on-app-install.html</remarks>
    public static Checked<InstallClaim> Read(WireForm form, string address, DateTimeOffset toldAt)
    {
        var errors = new Dictionary<string, string>();
        var memberId = WireEvent.MemberId(form);
        if (memberId is null)
            errors["auth[member_id]"] = "32 hexadecimal digits are expected.";
        var access = Token(form, "auth[access_token]", errors);
        var refresh = Token(form, "auth[refresh_token]", errors);
        return memberId is null || errors.Count > 0
            ? Rejection.Malformed(errors)
            : new InstallClaim(
                memberId, access, refresh, WireValues.ServerEndpoint(form.Bytes("auth[server_endpoint]"u8)),
                WireEvent.ApplicationToken(form))
            {
                Address = address,
                ToldAt = toldAt,
            };
    }

    public static Secret Token(WireForm form, string name, Dictionary<string, string> errors)
    {
        if (form.TryGet(Encoding.ASCII.GetBytes(name), out var value) && WireValues.Token(value) is { } token)
            return new(token);
        errors[name] = "A token of visible ASCII characters is expected.";
        return default;
    }

    public string Serialize() => JsonSerializer.Serialize(
        new KeptClaim(Access.Reveal(), Refresh.Reveal(), ServerEndpoint, ApplicationToken.Reveal()), InstallationJson.Default.KeptClaim);

    public static InstallClaim? Deserialize(string memberId, string text, DateTimeOffset toldAt) =>
        JsonSerializer.Deserialize(text, InstallationJson.Default.KeptClaim) is { } kept
            ? new(memberId, new(kept.Access), new(kept.Refresh), kept.Server, new(kept.ApplicationToken ?? "")) { ToldAt = toldAt }
            : null;
}

/// <summary>Under the names of an earlier version.</summary>
internal sealed record KeptClaim(
    [property: JsonPropertyName("a")] string Access, [property: JsonPropertyName("r")] string Refresh,
    [property: JsonPropertyName("s")] string? Server, [property: JsonPropertyName("t")] string? ApplicationToken);
