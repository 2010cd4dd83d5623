namespace Bitrix24Placements.PortalSimulator;

/// <summary>What an app under test is configured with.</summary>
internal static class Settings
{
    public const string ApiKey = "a-key-of-the-backend-that-tests-the-app";

    public static Dictionary<string, string?> For(Bitrix24 bitrix, Uri url, DirectoryInfo folder, Dictionary<string, string?>? own)
    {
        var portal = bitrix.Portals[0].Url;
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Bitrix24:ClientId"] = bitrix.Options.ClientId,
            ["Bitrix24:ClientSecret"] = bitrix.Portals[0].App.ClientSecret,
            ["Bitrix24:PublicUrl"] = url.GetLeftPart(UriPartial.Authority),
            ["Bitrix24:AllowInsecureHttp"] = "true",
            ["Bitrix24:OAuthServers:0"] = bitrix.OAuth.Url,
            ["Bitrix24:ScriptUrl"] = $"{portal}/api/v1/",
            ["Bitrix24:PullScriptUrl"] = $"{portal}/api/v1/pull/",
            ["Bitrix24:Verification"] = "Required",
            ["Storage:ConnectionString"] = $"Data Source={Path.Combine(folder.FullName, "placements.db")}",
            ["Storage:SpoolPath"] = Path.Combine(folder.FullName, "spool"),
            ["Signals:ApiKeys:0"] = ApiKey,
        };
        foreach (var (key, value) in own ?? [])
            all[key] = value;
        return all;
    }
}
