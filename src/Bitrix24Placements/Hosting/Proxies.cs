using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Headers = Microsoft.AspNetCore.HttpOverrides.ForwardedHeadersDefaults;

namespace Bitrix24Placements.Hosting;

/// <summary>Warns once where an unknown proxy sends <c>X-Forwarded-*</c>.</summary>
internal sealed partial class Proxies(RequestDelegate next, ILogger<Proxies> logger)
{
    private static readonly string[] Forwarded =
        [Headers.XForwardedForHeaderName, Headers.XForwardedProtoHeaderName, Headers.XForwardedHostHeaderName];

    private static readonly string[] TakenOut =
        [Headers.XOriginalForHeaderName, Headers.XOriginalProtoHeaderName, Headers.XOriginalHostHeaderName];

    private int _warned;

    public Task InvokeAsync(HttpContext context)
    {
        // A known proxy's have been taken out by now.
        var headers = context.Request.Headers;
        if (_warned == 0 && HoldsAny(headers, Forwarded) && !HoldsAny(headers, TakenOut) && Interlocked.Exchange(ref _warned, 1) == 0)
            Log.Unknown(logger, context.Connection.RemoteIpAddress);
        return next(context);
    }

    // Each request comes by here: a loop makes no delegate.
    private static bool HoldsAny(IHeaderDictionary headers, string[] names)
    {
        foreach (var name in names)
        {
            if (headers.ContainsKey(name))
                return true;
        }

        return false;
    }

    public static bool IsKnown(ForwardedHeadersOptions headers, IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return headers.KnownProxies.Contains(plain) || headers.KnownIPNetworks.Any(network => network.Contains(plain));
    }

    /// <summary>Loopback's are believed, unless somebody is named.</summary>
    public static void Configure(ForwardedHeadersOptions headers, IConfiguration configuration)
    {
        headers.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
        headers.ForwardLimit = null;
        var section = configuration.GetSection("ForwardedHeaders");
        var (proxies, networks) = (section.List("KnownProxies"), section.List("KnownNetworks"));
        if (proxies is null && networks is null)
            return;
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var proxy in proxies ?? [])
            headers.KnownProxies.Add(IPAddress.TryParse(proxy, out var address) ? address
                : throw new SettingsException($"ForwardedHeaders:KnownProxies: {proxy} is not an IP address."));
        foreach (var network in networks ?? [])
            headers.KnownIPNetworks.Add(System.Net.IPNetwork.TryParse(network, out var range) ? range
                : throw new SettingsException($"ForwardedHeaders:KnownNetworks: {network} is not a network such as 10.0.0.0/8."));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Address} sends X-Forwarded-* headers, which are not believed: "
            + "if it is your proxy, add it to ForwardedHeaders:KnownProxies or :KnownNetworks")]
        public static partial void Unknown(ILogger logger, IPAddress? address);
    }
}
