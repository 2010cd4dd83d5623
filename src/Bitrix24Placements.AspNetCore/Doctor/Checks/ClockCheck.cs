using System.Globalization;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>Tokens and certificates live by the clock.</summary>
internal sealed class ClockCheck(IHttpClientFactory clients, HostRules hosts, TimeProvider time) : Check(Name)
{
    public const string Name = "clock";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    public override async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        var server = examination.Portal?.OAuthServer ?? hosts.OAuthServers[0];
        using var http = clients.CreateClient(BitrixHttp.OAuthClient);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            using var answer = await http.GetAsync(new Uri(server, "/rest/app.info/"),
                HttpCompletionOption.ResponseHeadersRead, deadline.Token);
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
