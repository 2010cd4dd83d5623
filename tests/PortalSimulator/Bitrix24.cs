using System.Collections.Concurrent;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>
/// One OAuth server and the portals it serves, on loopback. It does on the wire what Bitrix24 does, and everything that a test or a
/// person at its page wants to go wrong.
/// </summary>
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
        Secrets.Learn(options.SignalsApiKey);
    }

    /// <summary>What it was started with.</summary>
    public Bitrix24Options Options { get; }

    /// <summary>The clock of tokens, limits and delays.</summary>
    public TimeProvider Time => Options.Time;

    /// <summary>Serves all portals.</summary>
    public OAuthServer OAuth { get; }

    /// <summary>In the order in which they were added.</summary>
    public IReadOnlyList<SimPortal> Portals => [.. _portals];

    /// <summary>What is to go wrong, and when.</summary>
    public Faults Faults { get; } = new();

    /// <summary>REST methods of one's own, on all portals.</summary>
    public RestMethods Methods { get; } = new();

    /// <summary>Everything that was said, without secrets, as a person reads it.</summary>
    public SimLog Log { get; }

    /// <summary>Base of the service under development; the default install, app and signal addresses come from it.</summary>
    public string? ServiceUrl
    {
        get;
        set => field = value?.TrimEnd('/');
    }

    /// <summary>What the lever "signal" authenticates with at the service.</summary>
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

    /// <summary>Starts on free ports, with as many portals as the options say.</summary>
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

    /// <summary>One more portal, with a member_id and the default app of its own.</summary>
    public Task<SimPortal> AddPortalAsync(CancellationToken cancellationToken = default) => AddPortalAsync(0, cancellationToken);

    /// <param name="port">0 takes a free one.</param>
    public async Task<SimPortal> AddPortalAsync(int port, CancellationToken cancellationToken = default)
    {
        var portal = new SimPortal(this, $"Portal {_portals.Count + 1}");
        await portal.StartAsync(port, cancellationToken);
        _portals.Enqueue(portal);
        return portal;
    }

    /// <summary>A new secret for an app, on every portal that has it; the old one is <c>invalid_client</c> from now on.</summary>
    /// <returns>The new secret.</returns>
    public string RotateSecret(string clientId, string? secret = null)
    {
        secret ??= PortalSimulator.Secrets.New(50);
        Secrets.Learn(secret);
        foreach (var app in _portals.Select(portal => portal.FindApp(clientId)).OfType<SimApp>())
            app.ClientSecret = secret;
        return secret;
    }

    internal string? KnownSecret(string clientId) =>
        _portals.Select(portal => portal.FindApp(clientId)).FirstOrDefault(app => app is not null)?.ClientSecret;

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await Task.WhenAll(_portals.Select(portal => portal.StopAsync()).Append(OAuth.StopAsync()));
        Http.Dispose();
    }
}
