using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>Carries out what is due, by priority, and keeps the leases of what it does.</summary>
internal sealed partial class WorkLoop(
    WorkStore store, WorkSignal signal, IEnumerable<IWork> works, Readiness readiness, ILogger<WorkLoop> logger)
    : RepeatingService(readiness, pause: TimeSpan.Zero)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    // Longer, and it waits for a portal: it takes nobody's place.
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(0.5);

    private const int WaitingPerPlace = 16;

    // Each has its own: neither who asks nor what nobody asked for keeps events waiting.
    private readonly (WorkPriority Priority, int Places, RunningTasks Running)[] _rooms =
        [(WorkPriority.Asked, 24, new()), (WorkPriority.Again, 24, new()), (WorkPriority.Unasked, 8, new())];

    private const int MaxUnknown = 100;
    private static readonly TimeSpan UnknownPause = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, bool> _unknown = new();

    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        // Otherwise there may be room for more.
        if (!await BeginDueAsync(stoppingToken))
            await signal.WaitAsync(LookEvery, stoppingToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // Otherwise leases run out, and the next process goes on.
        await Task.WhenAll(_rooms.Select(r => r.Running.WaitAsync(cancellationToken)));
    }

    private async Task<bool> BeginDueAsync(CancellationToken stoppingToken)
    {
        var begun = false;
        foreach (var (priority, places, running) in _rooms)
        {
            var room = Math.Min(places - running.CountYoungerThan(Quick), (places * WaitingPerPlace) - running.Count);
            if (room <= 0)
                continue;
            foreach (var item in await store.ClaimAsync(priority, room, stoppingToken))
            {
                running.Add(RunClaimedAsync(item, RunAsync, stoppingToken), ended: signal.Wake);
                begun = true;
            }
        }

        return begun;
    }

    private Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        if (works.FirstOrDefault(w => w.Kind == item.Kind
            || (w.Kind.EndsWith(':') && item.Kind.StartsWith(w.Kind, StringComparison.Ordinal))) is { } work)
            return work.RunAsync(item, cancellationToken);
        // Another version's: left to that one, and told once.
        if (_unknown.Count < MaxUnknown && _unknown.TryAdd(item.Kind, true))
            Log.UnknownKind(logger, item.Kind);
        return Task.FromResult(WorkResult.Again(UnknownPause));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The database cannot be asked for work: {Reason}")]
        public static partial void StoreFailed(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Error, "Work of the kind {Kind} is not known to this version; it waits for one that knows it")]
        public static partial void UnknownKind(ILogger logger, string kind);

        [LoggerMessage(4, LogLevel.Warning, "Work {Kind} for portal {MemberId} has lost its lease; another instance goes on with it")]
        public static partial void TakenOver(ILogger logger, string kind, PortalId memberId);

        [LoggerMessage(2, LogLevel.Error, "Work {Kind} for portal {MemberId} failed; it is tried again")]
        public static partial void Failed(ILogger logger, Exception exception, string kind, PortalId memberId);
    }
}
