using System.Reflection;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Hosting;

/// <summary>The service around the features: limits, headers, logs, keys, health, files.</summary>
public static class HostingSetup
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static WebApplicationBuilder AddHosting(this WebApplicationBuilder builder)
    {
        builder.Logging.AddStructuredLogging(builder.Environment);
        builder.AddTelemetry();
        // Lines end with CR LF: a bare LF is read differently by different servers, which is what request smuggling lives on.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(ConfigureKestrel);
        var services = builder.Services;
        services.AddValidatedOptions(builder.Configuration);
        services.Configure<HostOptions>(static o => o.ShutdownTimeout = TimeSpan.FromSeconds(25));
        services.AddSingleton(TimeProvider.System);
        services.AddRouting();
        services.AddTokenKeys(builder.Configuration);
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<ForwardedSettings>>(Proxies.Configure);
        services.AddSingleton<Texts>();
        services.AddSingleton<Pages>();
        services.AddSingleton<RejectionWriter>();
        services.AddSingleton<UnverifiedAttempts>();
        services.AddSingleton<HealthEndpoints>();
        services.AddSingleton<HomePage>();
        services.AddSingleton<Readiness>();
        services.AddHostedService(static p => p.GetRequiredService<Readiness>());
        services.AddSingleton<WarmUp>();
        services.AddSingleton<DetachedTasks>();
        services.AddHostedService(static p => p.GetRequiredService<DetachedTasks>());
        return builder;
    }

    public static WebApplication UseHosting(this WebApplication app)
    {
        app.UseManagementPort();
        app.UseForwardedHeaders();
        // Not UseMiddleware: it works by reflection, which the start pays for.
        app.Use(next => new Proxies(next, Logger<Proxies>(app)).InvokeAsync);
        app.Use(next => new ErrorHandling(next, app.Services.GetRequiredService<RejectionWriter>(), Logger<ErrorHandling>(app)).InvokeAsync);
        if (app.Services.GetRequiredService<IOptions<Bitrix24Options>>().Value.PublicUrl is { } url && new Uri(url).AbsolutePath.TrimEnd('/') is { Length: > 0 } path)
            app.UsePathBase(path);
        app.Map(Pages.FilesPath, static files =>
        {
            files.UseFiles("/" + Pages.Version, "public, max-age=31536000, immutable");
            files.UseFiles("", "public, max-age=600");
        });
        app.Use(next => new WorkerRoute(next, app).Invoke);
        app.UseRouting();
        app.Use(next => new LoadShedding(next, app.Services.GetRequiredService<IOptions<LimitsOptions>>(), app.Services.GetRequiredService<RejectionWriter>()).InvokeAsync);
        return app;
    }

    private static ILogger<T> Logger<T>(WebApplication app) => app.Services.GetRequiredService<ILogger<T>>();

    public static IEndpointRouteBuilder MapHosting(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapMethods("/health/live", GetAndHead, (RequestDelegate)HealthEndpoints.LiveAsync).WithMetadata(NeverShed.Instance);
        endpoints.MapMethods("/health/ready", GetAndHead, (RequestDelegate)(context => services.GetRequiredService<HealthEndpoints>().ReadyAsync(context))).WithMetadata(NeverShed.Instance);
        endpoints.MapMethods("/", GetAndHead, (RequestDelegate)(context => services.GetRequiredService<HomePage>().ShowAsync(context)));
        return endpoints;
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

    private static void UseFiles(this IApplicationBuilder app, string path, string caching) =>
        app.UseStaticFiles(new StaticFileOptions
        {
            RequestPath = path,
            FileProvider = new EmbeddedFileProvider(Assembly.GetExecutingAssembly(), "Bitrix24Placements.wwwroot"),
            OnPrepareResponse = context =>
            {
                context.Context.Response.Headers.CacheControl = caching;
                context.Context.Response.Headers.AccessControlAllowOrigin = "*";
            },
        });
}
