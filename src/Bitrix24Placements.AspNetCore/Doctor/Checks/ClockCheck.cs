using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>Tokens and certificates live by the clock.</summary>
internal sealed class ClockCheck(IHttpClientFactory clients, HostRules hosts, TimeProvider time) : Check(Name)
{
    public const string Name = "clock";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    public override async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        var server = new Uri(examination.Portal?.OAuthServer ?? hosts.OAuthServers[0], "/rest/app.info/");
        var found = await CompareAsync(BitrixHttp.OAuthClient, server, cancellationToken);
        if (found.Count > 0 || examination.Portal is not { } portal)
            return found;
        // Whether the portal answers is looked at later, and with tokens.
        found = await CompareAsync(BitrixHttp.PortalClient, portal.ClientEndpoint, cancellationToken);
        return found is [{ Id: "clock.off" }] ? found : Finding.None;
    }

    private async Task<IReadOnlyList<Finding>> CompareAsync(string client, Uri server, CancellationToken cancellationToken)
    {
        using var http = clients.CreateClient(client);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            using var answer = await http.GetAsync(server, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if (answer.Headers.Date is not { } date)
                return Finding.Note("clock.unknown", server.Host);
            var off = time.GetUtcNow() - date;
            return off.Duration() < Tolerance ? Finding.None
                : Finding.One("clock.off", string.Create(CultureInfo.InvariantCulture, $"{server.Host}: {off.TotalSeconds:+0;-0} s"));
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return Finding.One("oauth.silent", $"{server.Host}: {e.GetBaseException().Message}");
        }
    }
}
