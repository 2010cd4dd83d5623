using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>One loopback port. An empty builder: neither the environment nor appsettings of the host process reach it.</summary>
internal sealed class Listener
{
    private readonly WebApplication _app;

    private Listener(WebApplication app) => _app = app;

    public int Port { get; private set; }

    public static async Task<Listener> StartAsync(int port, RequestDelegate handle, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(context => GuardAsync(context, handle));
        await app.StartAsync(cancellationToken);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new Listener(app) { Port = new Uri(address).Port };
    }

    public async Task StopAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static async Task GuardAsync(HttpContext context, RequestDelegate handle)
    {
        try
        {
            await handle(context);
        }
        catch (OperationCanceledException)
        {
            // The caller has gone, or the simulator stops while a request hangs on purpose.
            context.Abort();
        }
        catch (Exception bug) when (!context.Response.HasStarted)
        {
            // Told to whoever asked: a test should not have to guess why a portal says 500.
            await Answer.Text($"The simulator failed: {bug}", 500).WriteAsync(context.Response, CancellationToken.None);
        }
    }
}
