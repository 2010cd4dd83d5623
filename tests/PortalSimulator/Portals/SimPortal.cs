using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>A portal: its people, its app, and what the app has registered.</summary>
public sealed partial class SimPortal
{
    private readonly Lock _gate = new();
    private readonly List<SimPlacement> _placements = [];
    private readonly List<BoundEvent> _events = [];
    private readonly List<SimApp> _apps = [];
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
        SlowLoads = new SlowLoadCounter(bitrix.Time);
    }

    public string Name { get; }

    public string MemberId { get; } = Secrets.New(32);

    public int Port => _listener?.Port ?? 0;

    /// <summary>As Bitrix24 writes it: the host, with a port that is not the usual one.</summary>
    public string Domain => $"{_host}:{Port}";

    public string Url => $"http://{Domain}";

    public string ClientEndpoint => $"{Url}/rest/";

    public SimApp App { get; }

    public IReadOnlyList<SimUser> Users { get; private set; } =
    [
        new(1, "Alice", "Admin", Admin: true, "en"),
        new(2, "Bob", "Baker", Admin: false, "de"),
        new(3, "Carol", "Clark", Admin: false, "la"),
    ];

    public IReadOnlyList<SimPlacement> Placements
    {
        get { lock (_gate) return [.. _placements]; }
    }

    public IReadOnlyList<BoundEvent> EventHandlers
    {
        get { lock (_gate) return [.. _events]; }
    }

    public Journal<RestCall> Calls { get; } = new();

    public PushServer Push { get; }

    public RateLimit Limit { get; }

    public PortalQuirks Quirks { get; } = new();

    internal Bitrix24 Bitrix { get; }

    internal SlowLoadCounter SlowLoads { get; }

    public SimUser User(int id) => Users.FirstOrDefault(user => user.Id == id) ?? throw new ArgumentException($"{Name} has no user {id}.");

    /// <summary>Makes somebody an administrator, or takes it from him; his tokens stay valid.</summary>
    public void SetAdmin(int userId, bool admin)
    {
        lock (_gate) Users = [.. Users.Select(user => user.Id == userId ? user with { Admin = admin } : user)];
    }

    /// <summary>Another app of this portal: its tokens are valid here, and none of ours.</summary>
    public SimApp AddOtherApp(IReadOnlyList<string>? scopes = null)
    {
        var clientId = $"local.{Secrets.New(14)}.{Random.Shared.Next(10_000_000, 99_999_999)}";
        var app = new SimApp(this, clientId, Bitrix.Secrets.NewKnown(50), scopes ?? App.Scopes) { Installed = true, InstallFinished = true };
        lock (_gate) _apps.Add(app);
        return app;
    }

    public IssuedTokens IssueTokens(int userId, TimeSpan? lifetime = null, SimApp? app = null) =>
        Bitrix.OAuth.Tokens.Issue(app ?? App, User(userId).Id, lifetime);

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

    /// <summary>Puts a registration there without asking the rules, such as one of an older deployment.</summary>
    public void Register(string placement, string handler, int userId = 0, JsonObject? options = null)
    {
        lock (_gate) _placements.Add(new SimPlacement(App.ClientId, placement, handler, userId, options ?? []));
    }

    /// <summary>Removes registrations without a word to anybody.</summary>
    public int Unregister(string placement)
    {
        lock (_gate) return _placements.RemoveAll(registered => registered.Placement == placement);
    }

    public void Bind(string @event, string handler)
    {
        lock (_gate) _events.Add(new BoundEvent(App.ClientId, @event.ToUpperInvariant(), handler));
    }

    internal IReadOnlyList<SimApp> Apps
    {
        get { lock (_gate) return [.. _apps]; }
    }

    internal bool HasMovedFrom(string host)
    {
        lock (_gate) return _formerHosts.Contains(host);
    }

    /// <summary>Reads and changes the registrations in one step.</summary>
    internal T WithPlacements<T>(Func<List<SimPlacement>, T> change)
    {
        lock (_gate) return change(_placements);
    }

    internal T WithEvents<T>(Func<List<BoundEvent>, T> change)
    {
        lock (_gate) return change(_events);
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
