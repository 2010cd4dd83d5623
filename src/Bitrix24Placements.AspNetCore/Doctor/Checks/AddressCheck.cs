using System.Net;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>Every registered address: HEAD, POST, and a body as large as Bitrix24's largest.</summary>
internal sealed class AddressCheck(IOptions<Bitrix24Options> options, PlacementCatalogue catalogue, ProbeHttp probe)
    : Check(Name, CertificateCheck.Name)
{
    public const string Name = "addresses";

    private const int SmallBytes = 512;
    private const int LargeBytes = 60 * 1024;

    /// <summary>Bitrix24 counts from five seconds, of which the network has its part.</summary>
    private static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(2);

    public override async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        var url = options.Value.PublicUrl ?? "";
        // The first connection takes the longest, and is nobody's slowness.
        var first = await probe.AskAsync(HttpMethod.Head, new(url + AppPaths.Events), 0, cancellationToken);
        if (first.Status is null)
            return Finding.One("address.unreachable", first.ToString());

        string[] handlers = [.. catalogue.Handlers().Select(h => h.Handler),
            url + "/", url + AppPaths.Install, url + AppPaths.Events, url + AppPaths.Removed + "doctor"];
        var heads = Task.WhenAll(handlers.Select(h => probe.AskAsync(HttpMethod.Head, new(h), 0, cancellationToken)));
        var posts = await Task.WhenAll(handlers.Select(h => probe.AskAsync(HttpMethod.Post, new(h), SmallBytes, cancellationToken)));
        var large = await probe.AskAsync(HttpMethod.Post, new(url + AppPaths.Install), LargeBytes, cancellationToken);
        return Judge(await heads, posts, large);
    }

    private List<Finding> Judge(ProbeAnswer[] heads, ProbeAnswer[] posts, ProbeAnswer large)
    {
        var findings = new List<Finding>();
        var scheme = new Uri(options.Value.PublicUrl ?? "").Scheme;
        Add("address.unreachable", posts, a => a.Status is null, a => $"{a}");
        Add("address.foreign", posts, a => a is { Status: not null, Echo: null }, a => $"{a}");
        Add("address.head", heads, a => a.Status != HttpStatusCode.OK, a => $"{a}");
        Add("address.scheme", posts, a => a.Echo is { } echo && echo.Scheme != scheme,
            a => $"{a.Asked}: X-Forwarded-Proto → {a.Echo?.Scheme}");
        Add("address.framing", posts, a => a is { Echo: not null, FrameOptions: not null },
            a => $"{a.Asked}: X-Frame-Options: {a.FrameOptions}");
        Add("address.framing", posts, a => a is { Echo: not null, FrameOptions: null } && a.Policy != EchoMiddleware.Policy,
            a => $"{a.Asked}: Content-Security-Policy: {a.Policy}");
        Add("address.body", [large], a => findings.Count == 0 && a.Echo?.Bytes != LargeBytes,
            a => $"{a}, {LargeBytes} → {a.Echo?.Bytes ?? 0} bytes");
        Add("address.slow", posts, a => a.Echo is not null && a.Took >= SlowFrom,
            a => $"{a.Asked}: {Math.Round(a.Took.TotalSeconds, 1)} s");
        return findings;

        // One finding for all addresses: they fail together.
        void Add(string id, ProbeAnswer[] answers, Func<ProbeAnswer, bool> isWrong, Func<ProbeAnswer, string> seen)
        {
            var wrong = Array.FindAll(answers, a => isWrong(a));
            if (wrong.Length > 0)
                findings.Add(new(id, wrong.Length > 1 ? $"{seen(wrong[0])} (+{wrong.Length - 1})" : seen(wrong[0])));
        }
    }
}
