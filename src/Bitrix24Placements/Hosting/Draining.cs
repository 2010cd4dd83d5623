using Bitrix24Placements.Settings;
using Bitrix24Placements.Storage;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Hosting;

internal sealed class ShutdownSettings : ISettings
{
    public static string Section => "Shutdown";

    private const int MaxSeconds = 300;

    public int DrainSeconds { get; set; } = 5;

    public void Read(IConfigurationSection section) => DrainSeconds = section.Whole(nameof(DrainSeconds), DrainSeconds);

    public string? Problem() =>
        DrainSeconds is >= 0 and <= MaxSeconds ? null : $"Shutdown:DrainSeconds has to be between 0 and {MaxSeconds}.";
}

/// <summary>After SIGTERM answers close their connections, and only then the server stops: whoever is in front has gone
/// elsewhere.</summary>
internal sealed class Draining(RequestDelegate next, IHostApplicationLifetime lifetime)
{
    public Task InvokeAsync(HttpContext context)
    {
        // HTTP/2 has no such header: the server says goodbye itself when it stops.
        if (lifetime.ApplicationStopping.IsCancellationRequested && HttpProtocol.IsHttp11(context.Request.Protocol))
            context.Response.Headers.Connection = "close";
        return next(context);
    }
}

/// <summary>The host calls it before it stops anything.</summary>
internal sealed class DrainTime(IOptions<ShutdownSettings> settings, Readiness readiness, TimeProvider time) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) =>
        // Whoever was never ready was sent nobody.
        readiness.IsReady ? Task.Delay(TimeSpan.FromSeconds(settings.Value.DrainSeconds), time, cancellationToken) : Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

internal static class DrainingSetup
{
    private static readonly TimeSpan ForWhatIsUnderWay = TimeSpan.FromSeconds(25);

    public static void AddDraining(this IServiceCollection services)
    {
        services.AddOptions<ShutdownSettings>().Configure<IHostEnvironment>(static (settings, environment) =>
            settings.DrainSeconds = environment.IsDevelopment() ? 0 : settings.DrainSeconds);
        services.AddSettings<ShutdownSettings>();
        services.AddOptions<HostOptions>().Configure<IOptions<ShutdownSettings>>(static (host, settings) =>
            host.ShutdownTimeout = TimeSpan.FromSeconds(settings.Value.DrainSeconds) + ForWhatIsUnderWay);
        services.AddHostedService<DrainTime>();
    }
}
