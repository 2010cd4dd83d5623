namespace Bitrix24Placements.Hosting;

internal static class Listening
{
    /// <summary>As the server takes them: addresses come before ports.</summary>
    public static string[] UrlsIn(IConfiguration configuration) =>
        Entries(configuration, WebHostDefaults.ServerUrlsKey) is { Length: > 0 } urls ? urls :
        [
            .. Entries(configuration, WebHostDefaults.HttpPortsKey).Select(port => $"http://*:{port}"),
            .. Entries(configuration, WebHostDefaults.HttpsPortsKey).Select(port => $"https://*:{port}"),
        ];

    private static string[] Entries(IConfiguration configuration, string key) =>
        (configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
