using System.Net;
using System.Net.Sockets;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Bitrix24Placements.Hosting;

internal static class HostingSetup
{
    /// <summary>Of a connection, each way; Linux takes twice as much, for its own records.</summary>
    private const int BytesInSystem = 32 * 1024;

    public static void AddHosting(this WebApplicationBuilder builder)
    {
        builder.Logging.AddStructuredLogging(builder.Environment);
        builder.AddTelemetry();
        // Servers read a bare LF differently, which request smuggling lives on.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(ConfigureKestrel);
        // Of each connection: otherwise a megabyte for whoever sends requests and reads no answer.
        builder.WebHost.UseSockets(sockets =>
        {
            sockets.MaxReadBufferSize = 4 * 1024;
            // More than a page: what does not fit has to wait, and that is bounded (see AnswerWriter).
            sockets.MaxWriteBufferSize = 16 * 1024;
            // A full queue costs its finder a second.
            sockets.Backlog = 4096;
            sockets.CreateBoundListenSocket = Listen;
        });
        var services = builder.Services;
        services.TryAddSingleton(MemoryWatch.OfProcess());
        services.AddSingleton<ConnectionLimit>();
        services.AddOptions<ShutdownSettings>().Configure<IHostEnvironment>((settings, environment) =>
            settings.DrainSeconds = environment.IsDevelopment() ? 0 : settings.DrainSeconds);
        services.AddSettings<ShutdownSettings>();
        // For what is still under way after draining.
        services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(25));
        services.AddHsts(o =>
        {
            o.MaxAge = TimeSpan.FromDays(365);
            o.ExcludedHosts.Clear();
        });
        services.AddOptions<ForwardedHeadersOptions>().Configure<IConfiguration>(Proxies.Configure).ValidateOnStart();
    }

    // Those accepted inherit them: the system would let the buffers of each grow to megabytes, which count to the container.
    private static Socket Listen(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        socket.SendBufferSize = BytesInSystem;
        socket.ReceiveBufferSize = BytesInSystem;
        return socket;
    }

    public static void UseHosting(this WebApplication app)
    {
        app.Use(OpenConnection.WhileBusyAsync);
        app.UseMiddleware<ErrorHandling>(ErrorScope.Everything);
        app.UseManagementPort();
        app.UseMiddleware<Draining>();
        app.UseForwardedHeaders();
        app.UseMiddleware<Proxies>();
        if (app.Configuration.GetSection("Hsts").Truth("Enabled", true))
            app.UseHsts();
    }

    private static void ConfigureKestrel(WebHostBuilderContext context, KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        var connections = kestrel.ApplicationServices.GetRequiredService<ConnectionLimit>();
        kestrel.ConfigureEndpointDefaults(endpoint =>
        {
            // Of HTTP/2 a connection can hold a hundred answers that nobody reads.
            if (context.Configuration["Kestrel:EndpointDefaults:Protocols"] is null)
                endpoint.Protocols = HttpProtocols.Http1;
            endpoint.Use(connections.Watch);
        });
        kestrel.Limits.MaxRequestBodySize = BoundedBody.LargestDrained;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 500, gracePeriod: TimeSpan.FromSeconds(5));
        kestrel.Limits.MaxRequestLineSize = 8 * 1024;
        // Twice as much in memory, and an idle connection keeps them, too.
        kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
    }
}
