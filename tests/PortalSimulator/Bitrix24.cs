using System.Collections.Concurrent;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>One OAuth server and the portals it serves, on loopback.</summary>
public sealed class Bitrix24 : IAsyncDisposable
{
    // Never disposed: it has no timer, and requests may still look at it while everything stops.
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<SimPortal> _portals = new();

    private Bitrix24(Bitrix24Options options)
    {
        foreach (var file in new[] { options.ScriptFile, options.PullScriptFile })
        {
            if (file is not null && !File.Exists(file)) throw new SimulatorException($"There is no {Path.GetFullPath(file)}.");
        }
        Options = options;
        ServiceUrl = options.ServiceUrl;
        SignalsApiKey = options.SignalsApiKey;
        Log = new SimLog(options.Time, Secrets);
        OAuth = new OAuthServer(this);
        Secrets.Learn(options.ClientSecret);
        Secrets.Learn(options.SignalsApiKey);
    }

    public Bitrix24Options Options { get; }

    public TimeProvider Time => Options.Time;

    public OAuthServer OAuth { get; }

    public IReadOnlyList<SimPortal> Portals => [.. _portals];

    public Faults Faults { get; } = new();

    public SimLog Log { get; }

    /// <summary>Base of the service under development; the default install, app and signal addresses come from it.</summary>
    public string? ServiceUrl
    {
        get;
        set => field = value?.TrimEnd('/');
    }

    public string? SignalsApiKey { get; set; }

    internal Secrets Secrets { get; } = new();

    internal CancellationToken Stopping => _stopping.Token;

    /// <summary>What the portals send with: no redirects, as a queue that posts once.</summary>
    internal HttpClient Http { get; } = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
    })
    { Timeout = TimeSpan.FromSeconds(60) };

    public static async Task<Bitrix24> StartAsync(Bitrix24Options? options = null, CancellationToken cancellationToken = default)
    {
        var bitrix = new Bitrix24(options ?? new Bitrix24Options());
        try
        {
            await bitrix.OAuth.StartAsync(cancellationToken);
            for (var i = 0; i < bitrix.Options.Portals; i++)
                await bitrix.AddPortalAsync(i == 0 ? bitrix.Options.PortalPort : 0, cancellationToken);
        }
        catch
        {
            await bitrix.DisposeAsync();
            throw;
        }
        return bitrix;
    }

    public Task<SimPortal> AddPortalAsync(CancellationToken cancellationToken = default) => AddPortalAsync(0, cancellationToken);

    public async Task<SimPortal> AddPortalAsync(int port, CancellationToken cancellationToken = default)
    {
        var portal = new SimPortal(this, $"Portal {_portals.Count + 1}");
        await portal.StartAsync(port, cancellationToken);
        _portals.Enqueue(portal);
        return portal;
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await Task.WhenAll(_portals.Select(portal => portal.StopAsync()).Append(OAuth.StopAsync()));
        Http.Dispose();
    }
}
