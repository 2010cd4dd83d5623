using Bitrix24Placements.Apps;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor;

internal sealed class OAuthChecks(IHttpClientFactory clients, OAuthClient oauth, AppRegistry apps, HostRules hosts, TimeProvider time)
{
    /// <summary>More are looked at one by one: <c>app list</c>.</summary>
    private const int MaxApps = 50;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    /// <summary>Tokens and certificates live by the clock.</summary>
    public async Task<Finding[]> ClockAsync(Examination examination, CancellationToken cancellationToken)
    {
        var found = await CompareAsync(BitrixHttp.OAuthClient, new(ServerOf(examination), "/rest/app.info/"), cancellationToken);
        if (found is not [] || examination.Portal is not { } portal)
            return found;
        // Whether the portal answers is another check's.
        found = await CompareAsync(BitrixHttp.PortalClient, portal.ClientEndpoint, cancellationToken);
        return found is [{ Id: "clock.off" }] ? found : [];
    }

    public async Task<Finding[]> KeysAsync(Examination examination, CancellationToken cancellationToken)
    {
        if (!apps.HasAny)
            return [new("keys.missing", apps.MissingKey ?? "Bitrix24:ClientId, Bitrix24:ClientSecret")];
        var server = ServerOf(examination);
        var asked = apps.All.Where(a => examination.Asked is not { } portal || portal.App == a.Name).Take(MaxApps);
        var findings = await Task.WhenAll(asked.Select(async app => await oauth.TestKeysAsync(app, server, cancellationToken) switch
        {
            KeysVerdict.Right => null,
            var verdict => new Finding(
                verdict == KeysVerdict.Wrong ? "keys.wrong" : "oauth.silent", $"{server.Host}: {app.Name}, {app.ClientId}"),
        }));
        return [.. findings.OfType<Finding>()];
    }

    private Uri ServerOf(Examination examination) => examination.Portal?.OAuthServer ?? hosts.OAuthServers[0];

    private async Task<Finding[]> CompareAsync(string client, Uri server, CancellationToken cancellationToken)
    {
        using var http = clients.CreateClient(client);
        http.Timeout = Timeout;
        try
        {
            using var answer = await http.GetAsync(server, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (answer.Headers.Date is not { } date)
                return [Finding.Note("clock.unknown", server.Host)];
            var off = time.GetUtcNow() - date;
            return off.Duration() < ClockTolerance ? []
                : [new("clock.off", string.Create(CultureInfo.InvariantCulture, $"{server.Host}: {off.TotalSeconds:+0;-0} s"))];
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return [new("oauth.silent", $"{server.Host}: {e.GetBaseException().Message}")];
        }
    }
}
