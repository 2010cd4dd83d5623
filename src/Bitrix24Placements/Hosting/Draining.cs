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

/// <summary>After SIGTERM answers close their connections, so that traffic goes elsewhere; only then the server stops.</summary>
internal sealed class Draining(RequestDelegate next, IHostApplicationLifetime lifetime)
{
    public Task InvokeAsync(HttpContext context)
    {
        // HTTP/2 has no such header: the server itself says goodbye.
        if (lifetime.ApplicationStopping.IsCancellationRequested && HttpProtocol.IsHttp11(context.Request.Protocol))
            context.Response.Headers.Connection = "close";
        return next(context);
    }

    /// <summary>Until the process is told to end, and until traffic goes elsewhere.</summary>
    public static async Task WaitAsync(WebApplication app)
    {
        var (services, stopping) = (app.Services, app.Lifetime.ApplicationStopping);
        await Task.Delay(Timeout.Infinite, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var seconds = services.GetRequiredService<IOptions<ShutdownSettings>>().Value.DrainSeconds;
        // Whoever was never ready was sent nobody.
        if (services.GetRequiredService<Readiness>().IsReady)
            await Task.Delay(TimeSpan.FromSeconds(seconds), services.GetRequiredService<TimeProvider>());
    }
}
