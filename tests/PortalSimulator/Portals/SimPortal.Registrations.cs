using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    private int _lastHandlerId;

    /// <summary>A further app, with keys, tokens, application_token, placements and events of its own.</summary>
    /// <param name="clientId">A local app's, made up, when it is null.</param>
    /// <param name="installed">False: its form is saved later, by <see cref="InstallAsync"/>.</param>
    public SimApp AddApp(
        string? clientId = null, string? clientSecret = null, IReadOnlyList<string>? scopes = null, bool installed = true)
    {
        clientId ??= $"local.{Secrets.New(14)}.{Random.Shared.Next(10_000_000, 99_999_999)}";
        var secret = clientSecret ?? Bitrix.KnownSecret(clientId) ?? Bitrix.Secrets.NewKnown(50);
        var app = new SimApp(this, clientId, secret, scopes ?? App.Scopes) { Installed = installed, InstallFinished = installed };
        lock (_gate)
        {
            if (_apps.Exists(known => known.ClientId == clientId)) throw new ArgumentException($"{Name} has {clientId} already.");
            _apps.Add(app);
        }
        return app;
    }

    /// <summary>An app of somebody else: its tokens are valid here, and none of ours.</summary>
    public SimApp AddOtherApp(IReadOnlyList<string>? scopes = null) => AddApp(scopes: scopes);

    /// <summary>Puts a registration there without asking the rules, such as one of an older deployment.</summary>
    public void Register(string placement, string handler, int userId = 0, JsonObject? options = null, SimApp? app = null)
    {
        lock (_gate) _placements.Add(new SimPlacement((app ?? App).ClientId, placement, handler, userId, options ?? []));
    }

    /// <summary>Removes registrations of a placement without a word to anybody: of one app, or of all.</summary>
    public int Unregister(string placement, SimApp? app = null)
    {
        lock (_gate)
            return _placements.RemoveAll(one => one.Placement == placement && (app is null || one.ClientId == app.ClientId));
    }

    /// <summary>All placements of an app are gone, as after an update that no event tells of.</summary>
    /// <param name="events">Its event handlers are gone, too.</param>
    public void WipePlacements(SimApp? app = null, bool events = false)
    {
        var clientId = (app ?? App).ClientId;
        lock (_gate)
        {
            _placements.RemoveAll(placement => placement.ClientId == clientId);
            if (events) _events.RemoveAll(bound => bound.ClientId == clientId);
        }
    }

    /// <summary>As <c>event.bind</c>, without asking the rules.</summary>
    public void Bind(string @event, string handler, SimApp? app = null)
    {
        lock (_gate) _events.Add(new BoundEvent((app ?? App).ClientId, @event.ToUpperInvariant(), handler, ++_lastHandlerId));
    }

    /// <summary>False when it is bound already.</summary>
    internal bool TryBind(SimApp app, string name, string handler)
    {
        lock (_gate)
        {
            if (_events.Exists(bound => bound.Is(app.ClientId, name) && bound.Handler == handler)) return false;
            Bind(name, handler, app);
            return true;
        }
    }

    internal SimApp? FindApp(string? clientId) => Apps.FirstOrDefault(app => app.ClientId == clientId);

    /// <summary>Reads and changes the registrations in one step.</summary>
    internal T WithPlacements<T>(Func<List<SimPlacement>, T> change)
    {
        lock (_gate) return change(_placements);
    }

    internal T WithEvents<T>(Func<List<BoundEvent>, T> change)
    {
        lock (_gate) return change(_events);
    }

    private List<BoundEvent> Handlers(string name, SimApp app)
    {
        lock (_gate) return _events.FindAll(bound => bound.Is(app.ClientId, name));
    }

    private void Forget(SimApp app)
    {
        WipePlacements(app, events: true);
        app.SlowLoads.Reset();
    }
}
