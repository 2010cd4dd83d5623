using System.Net;
using System.Net.Sockets;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor;

/// <summary>Whether portals find the service at its public address.</summary>
internal sealed class AddressChecks(IOptions<Bitrix24Options> options, PlacementCatalogue catalogue, ProbeHttp probe)
{
    private const int SmallBytes = 512;
    private const int LargeBytes = 60 * 1024;

    private static readonly TimeSpan NameTimeout = TimeSpan.FromSeconds(4);

    /// <summary>Bitrix24 counts from five seconds, the network's part included.</summary>
    private static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(2);

    private string Url => options.Value.PublicUrl ?? "";

    public Finding[] Settings() => options.Value.PublicUrl is null ? [new("publicUrl.missing", "Bitrix24:PublicUrl")] : [];

    public async Task<Finding[]> NameAsync(CancellationToken cancellationToken)
    {
        var host = new Uri(Url).IdnHost;
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).WaitAsync(NameTimeout, cancellationToken);
            return !options.Value.AllowInsecureHttp && addresses.All(SpecialAddresses.Contains)
                ? [new("name.internal", $"{host}: {string.Join(", ", addresses.AsEnumerable())}")]
                : [];
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            return [new("name.unresolvable", $"{host}: {e.Message}")];
        }
    }

    /// <summary>Every registered address, with a body as large as Bitrix24's largest.</summary>
    public async Task<Finding[]> AddressesAsync(CancellationToken cancellationToken)
    {
        // The first connection is always slow.
        var first = await probe.AskAsync(Url + AppPaths.Events, 0, cancellationToken);
        if (first.Status is null)
            return [new("address.unreachable", $"{first.Asked}: {first.Outcome}")];

        string[] handlers = [.. catalogue.Handlers().Select(h => h.Handler),
            Url + "/", Url + AppPaths.Install, Url + AppPaths.Events, Url + AppPaths.Removed + "doctor"];
        var heads = Task.WhenAll(handlers.Select(h => probe.AskAsync(h, 0, cancellationToken)));
        var posts = await Task.WhenAll(handlers.Select(h => probe.AskAsync(h, SmallBytes, cancellationToken)));
        var large = await probe.AskAsync(Url + AppPaths.Install, LargeBytes, cancellationToken);
        return Judge(await heads, posts, large);
    }

    private Finding[] Judge(ProbeAnswer[] heads, ProbeAnswer[] posts, ProbeAnswer large)
    {
        var findings = new List<Finding>();
        var scheme = new Uri(Url).Scheme;
        Add("address.unreachable", posts, a => a.Status is null);
        Add("address.foreign", posts, a => a is { Status: not null, Echo: null });
        Add("address.head", heads, a => a.Status != HttpStatusCode.OK);
        Add("address.scheme", posts, a => a.Echo is { } echo && echo.Scheme != scheme, a => $"X-Forwarded-Proto → {a.Echo?.Scheme}");
        Add("address.framing", posts, a => a is { Echo: not null, FrameOptions: not null }, a => $"X-Frame-Options: {a.FrameOptions}");
        Add("address.framing", posts, a => a is { Echo: not null, FrameOptions: null } && a.Policy != EchoMiddleware.Policy,
            a => $"Content-Security-Policy: {a.Policy}");
        Add("address.body", [large], a => findings.Count == 0 && a.Echo?.Bytes != LargeBytes,
            a => $"{a.Outcome}, {LargeBytes} → {a.Echo?.Bytes ?? 0} bytes");
        Add("address.slow", posts, a => a.Echo is not null && a.Took >= SlowFrom, a => $"{Math.Round(a.Took.TotalSeconds, 1)} s");
        return [.. findings];

        // One finding for all: they fail together.
        void Add(string id, ProbeAnswer[] answers, Func<ProbeAnswer, bool> isWrong, Func<ProbeAnswer, string>? seen = null)
        {
            if (answers.Where(isWrong).ToList() is [var first, .. var others])
            {
                var more = others.Count > 0 ? $" (+{others.Count})" : "";
                findings.Add(new(id, $"{first.Asked}: {seen?.Invoke(first) ?? first.Outcome}{more}"));
            }
        }
    }
}
