namespace Bitrix24Placements.PortalSimulator;

/// <summary>A portal: its people, its apps, and what the apps have registered.</summary>
public sealed partial class SimPortal
{
    private readonly Lock _gate = new();
    private readonly List<SimPlacement> _placements = [];
    private readonly List<BoundEvent> _events = [];
    private readonly List<SimApp> _apps = [];
    private readonly List<SimUser> _systemUsers = [];
    private readonly HashSet<string> _formerHosts = new(StringComparer.OrdinalIgnoreCase);
    private string _host = "127.0.0.1";
    private Listener? _listener;

    internal SimPortal(Bitrix24 bitrix, string name)
    {
        (Bitrix, Name) = (bitrix, name);
        var options = bitrix.Options;
        App = new SimApp(this, options.ClientId, options.ClientSecret, options.Scopes)
        {
            ApiOnly = options.ApiOnly,
            Installed = options.Installed,
            InstallFinished = options.Installed && (options.InstallFinished || options.ApiOnly),
        };
        _apps.Add(App);
        Limit = new RateLimit(bitrix.Time) { On = options.RateLimit };
        Push = new PushServer(this);
    }

    public string Name { get; }

    /// <summary>Survives a renaming.</summary>
    public string MemberId { get; } = Secrets.New(32);

    public int Port => _listener?.Port ?? 0;

    /// <summary>As Bitrix24 writes it: the host, with a port that is not the usual one.</summary>
    public string Domain => $"{_host}:{Port}";

    public string Url => $"http://{Domain}";

    /// <summary>Base of its REST methods.</summary>
    public string ClientEndpoint => $"{Url}/rest/";

    /// <summary>The app of <see cref="Bitrix24Options.ClientId"/>, which every portal has; meant wherever no other is named.</summary>
    public SimApp App { get; }

    /// <summary>The default app, and those that <see cref="AddApp"/> has added.</summary>
    public IReadOnlyList<SimApp> Apps
    {
        get { lock (_gate) return [.. _apps]; }
    }

    /// <summary>What is registered now, of all apps.</summary>
    public IReadOnlyList<SimPlacement> Placements
    {
        get { lock (_gate) return [.. _placements]; }
    }

    /// <summary>What <c>event.bind</c> has bound, of all apps.</summary>
    public IReadOnlyList<BoundEvent> EventHandlers
    {
        get { lock (_gate) return [.. _events]; }
    }

    /// <summary>Every REST request, in the order in which they came.</summary>
    public Journal<RestCall> Calls { get; } = new();

    /// <summary>Deals, contacts and tasks, as the REST methods and the browser show them.</summary>
    public SimRecords Records { get; } = new();

    /// <summary>Push &amp; Pull: what was sent, and who listens.</summary>
    public PushServer Push { get; }

    /// <summary>Bitrix24's limit of REST calls; off unless <see cref="Bitrix24Options.RateLimit"/>.</summary>
    public RateLimit Limit { get; }

    /// <summary>Where this portal differs from others.</summary>
    public PortalQuirks Quirks { get; } = new();

    internal Bitrix24 Bitrix { get; }

    /// <summary>Every access and refresh token that was ever issued for it: what no log, trace or page may hold.</summary>
    public IReadOnlyList<string> AllTokens => Bitrix.OAuth.Tokens.All(this);

    /// <summary>Access tokens are from now on expired; refresh tokens still work.</summary>
    public void ExpireTokens() => Bitrix.OAuth.Tokens.Expire(this);

    /// <summary>Access and refresh tokens are dead, as after a change of the secret; the app stays installed.</summary>
    public void RevokeAll() => Bitrix.OAuth.Tokens.Revoke(this);

    /// <summary>The old address answers 302 to the new one. Any host name that resolves to 127.0.0.1 will do.</summary>
    public void Rename(string host)
    {
        lock (_gate)
        {
            _formerHosts.Add(_host);
            _formerHosts.Remove(host);
            _host = host;
        }
    }

    internal bool HasMovedFrom(string host)
    {
        lock (_gate) return _formerHosts.Contains(host);
    }

    internal async Task StartAsync(int port, CancellationToken cancellationToken)
    {
        var endpoints = new PortalEndpoints(this);
        _listener = await Listener.StartAsync(port, endpoints.HandleAsync, cancellationToken);
    }

    internal async Task StopAsync()
    {
        if (_listener is not null) await _listener.StopAsync();
    }
}
