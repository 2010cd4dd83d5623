using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Rest;

internal static class RestServices
{
    public static IServiceCollection AddRest(this IServiceCollection services)
    {
        services.AddSettings<Bitrix24Options>(Bitrix24Options.Section, static (s, o) => o.Read(s),
            static (provider, o) => Bitrix24Rules.Problem(o, provider.GetRequiredService<IHostEnvironment>()));
        services.AddSingleton<HostRules>();
        services.AddSingleton<RestMetrics>();
        services.AddSingleton<BitrixHttp>();
        services.AddSingleton<OAuthClient>();
        services.AddSingleton<PortalLimits>();
        services.AddSingleton<PortalTransport>();
        services.AddSingleton<TokenRefresher>();
        services.AddSingleton(static p => new RestClient(
            p.GetRequiredService<TokenRefresher>(), p.GetRequiredService<PortalTransport>(), p.GetRequiredService<PortalLimits>(),
            p.GetRequiredService<OAuthClient>(), p.GetRequiredService<HostRules>(), p.GetRequiredService<PortalStore>(),
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<RestClient>>()));
        services.AddHttpClient(BitrixHttp.OAuthClient, static c => Configure(c, 256 * 1024))
            .UseSocketsHttpHandler(static (handler, _) => Configure(handler)).RemoveAllLoggers();
        services.AddHttpClient(BitrixHttp.PortalClient, static c => Configure(c, 16 * 1024 * 1024))
            .UseSocketsHttpHandler(static (handler, provider) =>
            {
                Configure(handler);
                var rules = provider.GetRequiredService<HostRules>();
                handler.ConnectCallback = (context, cancellationToken) => ConnectAsync(rules, context, cancellationToken);
            }).RemoveAllLoggers();
        return services;
    }

    private static void Configure(HttpClient client, int largestAnswer)
    {
        client.Timeout = Timeout.InfiniteTimeSpan;
        client.MaxResponseContentBufferSize = largestAnswer;
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Bitrix24Placements", "1.0"));
        client.DefaultRequestHeaders.Accept.Add(new("application/json"));
    }

    private static void Configure(SocketsHttpHandler handler)
    {
        // Redirects are decided by us: tokens must not follow one to an unknown host.
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.ConnectTimeout = TimeSpan.FromSeconds(10);
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        handler.AutomaticDecompression = DecompressionMethods.All;
        handler.MaxResponseHeadersLength = 32;
    }

    /// <summary>Connects to addresses that <see cref="HostRules"/> permits: the check and the use see the same addresses.</summary>
    private static async ValueTask<Stream> ConnectAsync(HostRules rules, SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var target = context.DnsEndPoint;
        // An outbound proxy of the operator's own is not a portal.
        var addresses = target.Host.Equals(context.InitialRequestMessage.RequestUri?.IdnHost, StringComparison.OrdinalIgnoreCase)
            ? await rules.ResolvePortalAsync(target.Host, cancellationToken)
            : await Dns.GetHostAddressesAsync(target.Host, cancellationToken);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, target.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new HttpRequestException(HttpRequestError.ConnectionError, "No connection.", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
