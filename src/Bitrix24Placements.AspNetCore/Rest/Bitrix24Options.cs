using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Rest;

/// <summary>Empty strings count as not set, so that compose files can pass variables through.</summary>
internal sealed class Bitrix24Options : ISettings
{
    public static string Section => "Bitrix24";

    /// <summary>Without a slash at its end.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>The only OAuth servers ever contacted; the first is the default one.</summary>
    public string[] OAuthServers { get; set; } = [];

    /// <summary>Host patterns; empty: any portal the OAuth server vouches for.</summary>
    public string[] AllowedPortals { get; set; } = [];

    public bool AllowInsecureHttp { get; set; }

    public VerificationMode Verification { get; set; } = VerificationMode.Required;

    public string ScriptUrl { get; set; } = "https://api.bitrix24.com/api/v1/";

    public string PullScriptUrl { get; set; } = "https://api.bitrix24.com/api/v1/pull/";

    /// <summary>REST calls per second and portal.</summary>
    public double RequestsPerSecond { get; set; } = 2;

    public int RequestBurst { get; set; } = 50;

    /// <summary>Permissions that the app's own calls need; told on <c>GET /</c>.</summary>
    public string[] Scopes { get; set; } = [];

    public static readonly string[] DefaultOAuthServers = ["https://oauth.bitrix.info", "https://oauth.bitrix24.tech"];

    public void Read(IConfigurationSection section)
    {
        PublicUrl = section.Text(nameof(PublicUrl))?.TrimEnd('/');
        OAuthServers = section.List(nameof(OAuthServers)) ?? DefaultOAuthServers;
        AllowedPortals = section.List(nameof(AllowedPortals)) ?? [];
        Scopes = section.List(nameof(Scopes)) ?? [];
        AllowInsecureHttp = section.Truth(nameof(AllowInsecureHttp), AllowInsecureHttp);
        Verification = section.Choice(nameof(Verification), Verification);
        ScriptUrl = section.Text(nameof(ScriptUrl)) ?? ScriptUrl;
        PullScriptUrl = section.Text(nameof(PullScriptUrl)) ?? PullScriptUrl;
        RequestsPerSecond = section.Number(nameof(RequestsPerSecond), RequestsPerSecond);
        RequestBurst = section.Whole(nameof(RequestBurst), RequestBurst);
    }
}

internal enum VerificationMode
{
    Required,

    /// <summary>Development only.</summary>
    Off,
}
