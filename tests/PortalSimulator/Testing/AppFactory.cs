using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>Runs an app's own Program in this process, on a real port of loopback.</summary>
internal sealed class AppFactory<TEntryPoint>(
    Dictionary<string, string?> settings, Action<IServiceCollection>? services, string environment) : WebApplicationFactory<TEntryPoint>
    where TEntryPoint : class
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(40);

    private bool _started;

    public ConcurrentQueue<string> Logs { get; } = new();

    public void Listen(int port)
    {
        ContentRoot.Tell(typeof(TEntryPoint).Assembly);
        // Not UseKestrel(port): that sets the address while the program may be starting already.
        UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        StartServer();
        _started = true;
    }

    /// <summary>As SIGTERM does. The factory would stop the host while the program, which wakes up by that, takes its services away.</summary>
    public override async ValueTask DisposeAsync()
    {
        if (_started)
        {
            _started = false;
            var lifetime = Services.GetRequiredService<IHostApplicationLifetime>();
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = lifetime.ApplicationStopped.Register(stopped.SetResult);
            lifetime.StopApplication();
            await stopped.Task.WaitAsync(StopTimeout);
        }
        await base.DisposeAsync();
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment(environment);
        foreach (var (key, value) in settings.Where(setting => setting.Value is not null))
            builder.UseSetting(key, value);
        builder.ConfigureLogging(logging => logging
            .ClearProviders()
            .AddProvider(new QueueLogger(Logs))
            .SetMinimumLevel(LogLevel.Debug)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("System", LogLevel.Warning));
        builder.ConfigureTestServices(all => services?.Invoke(all));
    }
}
