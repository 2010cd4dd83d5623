using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Settings;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Hosting;

internal static class HostingSetup
{
    public static WebApplicationBuilder AddHosting(this WebApplicationBuilder builder)
    {
        builder.Logging.AddStructuredLogging(builder.Environment);
        builder.AddTelemetry();
        // A bare LF is read differently by different servers, which is what request smuggling lives on.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(ConfigureKestrel);
        // Of each connection: one that sends request after request and reads no answer would have a megabyte.
        builder.WebHost.UseSockets(static sockets => sockets.MaxReadBufferSize = 128 * 1024);
        var services = builder.Services;
        services.AddSettings<ForwardedSettings>();
        services.AddDraining();
        services.AddHsts(static o =>
        {
            o.MaxAge = TimeSpan.FromDays(365);
            o.ExcludedHosts.Clear();
        });
        services.AddSettings<HstsSettings>();
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<ForwardedSettings>>(Proxies.Configure);
        return builder;
    }

    public static WebApplication UseHosting(this WebApplication app)
    {
        app.UseMiddleware<ErrorHandling>(ErrorScope.Everything);
        app.UseManagementPort();
        app.UseMiddleware<Draining>();
        app.UseForwardedHeaders();
        app.UseMiddleware<Proxies>();
        if (app.Services.GetRequiredService<IOptions<HstsSettings>>().Value.Enabled)
            app.UseHsts();
        return app;
    }

    private static void ConfigureKestrel(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = BoundedBody.LargestDrained;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 500, gracePeriod: TimeSpan.FromSeconds(5));
        kestrel.Limits.MaxRequestLineSize = 16 * 1024;
    }
}
