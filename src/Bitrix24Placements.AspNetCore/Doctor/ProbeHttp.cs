using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Bitrix24Placements.Doctor;

/// <summary>Null: what the machine trusts.</summary>
internal sealed record ProbeTrust(X509ChainPolicy? Policy);

/// <summary>Asks the service as a portal does: through its name, certificate and proxy.</summary>
internal sealed class ProbeHttp(EchoSeal seal, ProbeTrust trust) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = Timeout,
        PooledConnectionLifetime = TimeSpan.FromSeconds(30),
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust.Policy },
    })
    { Timeout = Timeout };

    /// <param name="postedBytes">0: HEAD.</param>
    public async Task<ProbeAnswer> AskAsync(string url, int postedBytes, CancellationToken cancellationToken)
    {
        var method = postedBytes > 0 ? HttpMethod.Post : HttpMethod.Head;
        var nonce = EchoSeal.NewNonce();
        var started = Stopwatch.GetTimestamp();
        try
        {
            using var request = new HttpRequestMessage(method, url);
            request.Headers.Add(EchoSeal.Header, nonce);
            if (postedBytes > 0)
                request.Content = new FormUrlEncodedContent([new("doctor", new string('x', postedBytes - "doctor=".Length))]);
            using var answer = await _http.SendAsync(request, cancellationToken);
            var echo = seal.Open(One(answer, EchoSeal.Header), nonce);
            return new($"{method} {url}", Stopwatch.GetElapsedTime(started), answer.StatusCode, echo,
                One(answer, "X-Frame-Options"), One(answer, "Content-Security-Policy"));
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            var reason = e is HttpRequestException ? e.GetBaseException().Message : $"no answer in {Timeout.TotalSeconds} s";
            return new($"{method} {url}", Stopwatch.GetElapsedTime(started), Failure: reason);
        }
    }

    private static string? One(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    public void Dispose() => _http.Dispose();
}

/// <param name="Status">Null: no answer.</param>
/// <param name="Echo">Null: not this service's answer.</param>
internal sealed record ProbeAnswer(
    string Asked, TimeSpan Took, HttpStatusCode? Status = null, Echo? Echo = null, string? FrameOptions = null, string? Policy = null,
    string? Failure = null)
{
    public string Outcome => ((int?)Status)?.ToString(CultureInfo.InvariantCulture) ?? Failure ?? "";
}
