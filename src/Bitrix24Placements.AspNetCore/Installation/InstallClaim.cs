using Bitrix24Placements.Events;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Installation;

/// <summary>Somebody says that the app was installed or updated: not believed yet.</summary>
/// <param name="Address">From which it came; empty where that is not known any more.</param>
internal sealed record InstallClaim(
    string MemberId, Secret Access, Secret Refresh, string? ServerEndpoint, Secret ApplicationToken, string Address, DateTimeOffset ToldAt)
{
    private const string Purpose = "install";

    /// <summary>No new installation, whatever employees have said of the one that is there.</summary>
    public bool IsUpdate { get; init; }

    public Asker Who => new(Address, MemberId, ApplicationToken);

    public static InstallClaim From(PlacementPost post, string address, DateTimeOffset toldAt) =>
        new(post.MemberId, post.AccessToken, post.RefreshToken, post.ServerEndpoint, post.ApplicationToken, address, toldAt);

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
                WireEvent.ApplicationToken(form), address, toldAt);
    }

    public static Secret Token(WireForm form, string name, Dictionary<string, string> errors)
    {
        if (form.TryGet(Encoding.ASCII.GetBytes(name), out var value) && WireValues.Token(value) is { } token)
            return new(token);
        errors[name] = "A token of visible ASCII characters is expected.";
        return default;
    }

    public string Seal(TokenVault vault) => vault.Protect(MemberId, Purpose, JsonSerializer.Serialize(
        new KeptClaim(Access.Reveal(), Refresh.Reveal(), ServerEndpoint, ApplicationToken.Reveal(), IsUpdate, ToldAt),
        InstallationJson.Default.KeptClaim));

    /// <summary>Null where the keys are lost.</summary>
    public static InstallClaim? Open(TokenVault vault, string memberId, string text, DateTimeOffset keptAt) =>
        vault.Unprotect(memberId, Purpose, text) is { } opened
        && JsonSerializer.Deserialize(opened, InstallationJson.Default.KeptClaim) is { } kept
            ? new(memberId, new(kept.Access), new(kept.Refresh), kept.Server, new(kept.ApplicationToken ?? ""), "", kept.ToldAt ?? keptAt)
            { IsUpdate = kept.IsUpdate }
            : null;
}

/// <summary>Under the names of an earlier version.</summary>
internal sealed record KeptClaim(
    [property: JsonPropertyName("a")] string Access, [property: JsonPropertyName("r")] string Refresh,
    [property: JsonPropertyName("s")] string? Server, [property: JsonPropertyName("t")] string? ApplicationToken,
    [property: JsonPropertyName("u")] bool IsUpdate, [property: JsonPropertyName("w")] DateTimeOffset? ToldAt);
