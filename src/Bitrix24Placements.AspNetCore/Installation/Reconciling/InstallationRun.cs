using System.Threading.Channels;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Runs the work that an installation has filed, now, to show its progress. It goes on without the browser.</summary>
internal sealed class InstallationRun(
    ReconcileWork reconcile, WorkLoop loop, PortalStore portals, DetachedTasks tasks, TimeProvider time)
{
    /// <summary>Where this process dies before the wizard has begun.</summary>
    public static readonly TimeSpan BackgroundTakesOver = TimeSpan.FromSeconds(4);

    public static readonly RestError GoesOn = RestError.Unavailable("The installation goes on in the background.");

    /// <summary>A portal may keep it going for hours.</summary>
    private static readonly TimeSpan WatchedFor = TimeSpan.FromMinutes(1);

    /// <summary>Of a portal one runs and one is to begin, however many wizards are opened: they watch it together.</summary>
    private readonly ConcurrentDictionary<PortalId, WatchedRun> _next = new();

    /// <summary>Null: nothing is known yet.</summary>
    public async Task<Reconciliation?> RunAsync(PortalId id, Func<PlacementOutcome, Task> progress, CancellationToken cancellationToken)
    {
        var mine = new WatchedRun();
        var run = _next.GetOrAdd(id, mine);
        var outcomes = run.Watch();
        if (run == mine)
            _ = tasks.Run("Reconciling after an installation", stopped => RunAsync(id, run, stopped));
        using var timeout = new CancellationTokenSource(WatchedFor, time);
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await foreach (var placement in outcomes.Reader.ReadAllAsync(watching.Token))
                await progress(placement);
            return run.Outcome;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            run.Leave(outcomes);
        }
    }

    private async Task RunAsync(PortalId id, WatchedRun run, CancellationToken stopped)
    {
        try
        {
            await loop.RunNowAsync(id, WorkKind.Reconcile, (item, token) =>
            {
                _next.TryRemove(new(id, run));
                return reconcile.RunAsync(item, run.Tell, r => run.Outcome = r, token);
            }, stopped);
            run.Outcome ??= await ReadOutcomeAsync(id, stopped);
        }
        finally
        {
            _next.TryRemove(new(id, run));
            run.End();
        }
    }

    private async Task<Reconciliation?> ReadOutcomeAsync(PortalId id, CancellationToken cancellationToken) =>
        await portals.FindAsync(id, cancellationToken) is { Placements: { } stored } portal
            ? new(PlacementOutcome.Read(stored), portal.Declaration.Length == 0 ? GoesOn : null) : null;
}

internal sealed class WatchedRun
{
    private readonly Lock _lock = new();
    private readonly HashSet<Channel<PlacementOutcome>> _watchers = [];
    private bool _ended;

    public Reconciliation? Outcome { get; set; }

    public Channel<PlacementOutcome> Watch()
    {
        var outcomes = Channel.CreateUnbounded<PlacementOutcome>();
        lock (_lock)
        {
            if (_ended)
                outcomes.Writer.Complete();
            else
                _watchers.Add(outcomes);
        }

        return outcomes;
    }

    public void Leave(Channel<PlacementOutcome> outcomes)
    {
        lock (_lock)
            _watchers.Remove(outcomes);
    }

    public void Tell(PlacementOutcome outcome)
    {
        lock (_lock)
        {
            foreach (var watcher in _watchers)
                watcher.Writer.TryWrite(outcome);
        }
    }

    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            foreach (var watcher in _watchers)
                watcher.Writer.Complete();
        }
    }
}
