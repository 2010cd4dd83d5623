using System.Net;

namespace Bitrix24Placements.Rest;

internal static class Bitrix24Rules
{
    public static string? Problem(Bitrix24Options o, IHostEnvironment environment) =>
        PublicUrl(o)
        ?? o.OAuthServers.Select((s, i) => Server($"Bitrix24:OAuthServers:{i}", Address(s), o)).FirstOrDefault(p => p is not null)
        ?? o.AllowedPortals.Select(AllowedPortal).FirstOrDefault(p => p is not null)
        ?? Script("Bitrix24:ScriptUrl", o.ScriptUrl, o)
        ?? Script("Bitrix24:PullScriptUrl", o.PullScriptUrl, o)
        ?? (!(o.RequestsPerSecond is > 0 and <= 10_000) ? "Bitrix24:RequestsPerSecond has to be above 0 and at most 10000." : null)
        ?? (o.RequestBurst is < 1 or > 100_000 ? "Bitrix24:RequestBurst has to be between 1 and 100000." : null)
        ?? (o.Verification == VerificationMode.Off && !environment.IsDevelopment()
            ? $"Bitrix24:Verification may be Off only in the Development environment; this is {environment.EnvironmentName}." : null);

    private static string? PublicUrl(Bitrix24Options o) => o.PublicUrl is null ? null
        : Address(o.PublicUrl) is not { UserInfo: "", Query: "", Fragment: "" } uri
            ? "Bitrix24:PublicUrl has to be an absolute https address without a query, such as https://app.example.com/b24."
        : Server("Bitrix24:PublicUrl", uri, o)
        // The longest address that is registered ends with a key of 64 characters.
        ?? ((o.PublicUrl + AppPaths.Removed).Length + 64 > AppPaths.MaxHandlerLength
            ? $"Bitrix24:PublicUrl is too long: Bitrix24 takes addresses of at most {AppPaths.MaxHandlerLength} characters." : null);

    private static string? Server(string key, Uri? uri, Bitrix24Options o) =>
        uri is not { UserInfo: "" } ? $"{key} has to be an absolute https address."
        : !o.AllowInsecureHttp && (uri.Scheme != "https" || !uri.Host.Contains('.') || IPAddress.TryParse(uri.Host, out _))
            ? $"{key} has to be https and name a host with a dot, unless Bitrix24:AllowInsecureHttp is true."
        : null;

    private static string? AllowedPortal(string pattern, int index)
    {
        var host = pattern.StartsWith("*.", StringComparison.Ordinal) ? pattern[2..] : pattern;
        return host.Length == 0 || Uri.CheckHostName(host) == UriHostNameType.Unknown
            ? $"Bitrix24:AllowedPortals:{index} has to be a host name such as portal.example.com or *.bitrix24.com, "
              + "without scheme and port."
            : null;
    }

    private static string? Script(string key, string url, Bitrix24Options o) =>
        Address(url) is not { } uri ? $"{key} has to be an absolute https address."
        : uri.Scheme == "http" && !o.AllowInsecureHttp ? $"{key} has to be https, unless Bitrix24:AllowInsecureHttp is true."
        : null;

    private static Uri? Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri : null;
}
