using System.Net;

namespace Bitrix24Placements.Rest;

/// <summary>The environment's proxy (<c>HTTPS_PROXY</c> and the like) for calls to portals.</summary>
/// <remarks>It connects in our place: a portal's name is checked before the proxy hears it.</remarks>
internal sealed class OutgoingProxy(IWebProxy proxy)
{
    private readonly Uri?[] _addresses = [Find(proxy, new("https://portal.example/")), Find(proxy, new("http://portal.example/"))];

    public IWebProxy Proxy => proxy;

    public string? Name => Array.Find(_addresses, a => a is not null)?.Authority;

    public bool Leads(Uri target) => Find(proxy, target) is not null;

    public bool IsAt(string host, int port) =>
        Array.Exists(_addresses, a => a is not null && a.Port == port && a.IdnHost.Equals(host, StringComparison.OrdinalIgnoreCase));

    private static Uri? Find(IWebProxy proxy, Uri target) => proxy.IsBypassed(target) ? null : proxy.GetProxy(target);
}

/// <summary>Lets no request through a proxy, or to it, whose host may not be talked to.</summary>
internal sealed class ProxiedPortalCheck(OutgoingProxy proxy, HostRules rules) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri is { } target && !rules.MayBeInternal(target.IdnHost)
            && (proxy.Leads(target) || proxy.IsAt(target.IdnHost, target.Port)))
        {
            await rules.ResolvePortalAsync(target.IdnHost, cancellationToken);
        }

        return await base.SendAsync(request, cancellationToken);
    }
}

internal sealed partial class ProxyNotice(OutgoingProxy proxy, ILogger<ProxyNotice> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (proxy.Name is { } name)
            Log.Proxied(logger, name);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning,
            "Calls to portals go through the proxy {Proxy}. A portal's name is resolved and checked here before each call, "
            + "but the proxy resolves it again: it has to refuse internal addresses itself")]
        public static partial void Proxied(ILogger logger, string proxy);
    }
}
