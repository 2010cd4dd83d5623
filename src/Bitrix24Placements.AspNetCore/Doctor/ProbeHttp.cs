using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Bitrix24Placements.Doctor;

/// <summary>Null: what the machine trusts.</summary>
internal sealed record ProbeTrust(X509ChainPolicy? Policy);

/// <summary>Asks the service as a portal or a browser does: through its name, its certificate and its proxy.</summary>
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

    public async Task<ProbeAnswer> AskAsync(HttpMethod method, Uri url, int bytes, CancellationToken cancellationToken)
    {
        var nonce = EchoSeal.NewNonce();
        var started = Stopwatch.GetTimestamp();
        try
        {
            using var request = new HttpRequestMessage(method, url);
            request.Headers.Add(EchoSeal.Header, nonce);
            if (method == HttpMethod.Post)
                request.Content = new FormUrlEncodedContent([new("doctor", new string('x', Math.Max(0, bytes - "doctor=".Length)))]);
            using var answer = await _http.SendAsync(request, cancellationToken);
            var echo = seal.Open(One(answer, EchoSeal.Header), nonce);
            return new($"{method} {url}", answer.StatusCode, echo, Stopwatch.GetElapsedTime(started))
            {
                FrameOptions = One(answer, "X-Frame-Options"),
                Policy = One(answer, "Content-Security-Policy"),
            };
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            var reason = e is HttpRequestException ? e.GetBaseException().Message : $"no answer in {Timeout.TotalSeconds} s";
            return new($"{method} {url}", null, null, Stopwatch.GetElapsedTime(started)) { Failure = reason };
        }
    }

    private static string? One(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    public void Dispose() => _http.Dispose();
}

/// <param name="Status">Null: no answer at all.</param>
/// <param name="Echo">Null: it was not this service that answered.</param>
internal sealed record ProbeAnswer(string Asked, HttpStatusCode? Status, Echo? Echo, TimeSpan Took)
{
    public string? FrameOptions { get; init; }

    public string? Policy { get; init; }

    public string? Failure { get; init; }

    public override string ToString() => Status is { } status ? $"{Asked}: {(int)status}" : $"{Asked}: {Failure}";
}
