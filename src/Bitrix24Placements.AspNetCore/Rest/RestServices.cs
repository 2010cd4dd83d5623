using System.Net;
using System.Net.Sockets;
using Bitrix24Placements.Settings;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Rest;

internal static class RestServices
{
    public static IServiceCollection AddRest(this IServiceCollection services)
    {
        services.AddHttpClient(BitrixHttp.OAuthClient, Configure)
            .UseSocketsHttpHandler((handler, _) => Configure(handler))
            .RemoveAllLoggers();
        services.AddHttpClient(BitrixHttp.PortalClient, Configure)
            .UseSocketsHttpHandler((handler, provider) =>
            {
                Configure(handler);
                var (rules, proxy) = (provider.GetRequiredService<HostRules>(), provider.GetRequiredService<OutgoingProxy>());
                handler.Proxy = proxy.Proxy;
                handler.ConnectCallback = (context, cancellationToken) =>
                    ConnectAsync(rules, proxy, context.DnsEndPoint, cancellationToken);
            })
            .AddHttpMessageHandler<ProxiedPortalCheck>()
            .RemoveAllLoggers();
        return services
            .AddSettings<Bitrix24Options>((provider, o) => Bitrix24Rules.Problem(o, provider.GetRequiredService<IHostEnvironment>()))
            .AddSingleton<HostRules>()
            .AddSingleton<ServedPortals>()
            .AddSingleton<RestMetrics>()
            .AddSingleton<CallLog>()
            .AddSingleton<AnswerReader>()
            .AddSingleton<BitrixHttp>()
            .AddSingleton<OAuthClient>()
            .AddSingleton<PortalLimits>()
            .AddSingleton<PortalTransport>()
            .AddSingleton<RefreshedTokenKeeper>()
            .AddSingleton<ISpoolHandler>(p => p.GetRequiredService<RefreshedTokenKeeper>())
            .AddSingleton<TokenRefresher>()
            .AddSingleton<RestParts>()
            .AddSingleton(p => new RestClient(p.GetRequiredService<RestParts>()))
            .AddSingleton(_ => new OutgoingProxy(HttpClient.DefaultProxy))
            .AddTransient<ProxiedPortalCheck>()
            .AddHostedService<ProxyNotice>();
    }

    private static void Configure(HttpClient client)
    {
        client.Timeout = Timeout.InfiniteTimeSpan;
        client.DefaultRequestHeaders.UserAgent.Add(new("Bitrix24Placements", "1.0"));
        client.DefaultRequestHeaders.Accept.Add(new("application/json"));
        client.DefaultRequestHeaders.AcceptEncoding.Add(new(PackedAnswer.ContentEncoding));
    }

    private static void Configure(SocketsHttpHandler handler)
    {
        // Tokens must not follow one to an unknown host.
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.ConnectTimeout = TimeSpan.FromSeconds(10);
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        handler.MaxResponseHeadersLength = 32;
    }

    private static async ValueTask<Stream> ConnectAsync(
        HostRules rules, OutgoingProxy proxy, DnsEndPoint target, CancellationToken cancellationToken)
    {
        // The operator's own proxy is not a portal.
        var addresses = proxy.IsAt(target.Host, target.Port)
            ? await Dns.GetHostAddressesAsync(target.Host, cancellationToken)
            : await rules.ResolvePortalAsync(target.Host, cancellationToken);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, target.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
