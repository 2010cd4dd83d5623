using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Reconciles a portal in the background: after an installation, an update, a removal notice, a changed address.</summary>
internal sealed class ReconcileWork(PortalStore portals, Reconciler reconciler, TimeProvider time) : IWork
{
    /// <summary>Payload of work that a removal notice asked for.</summary>
    public const string Removal = "removal";

    /// <summary>A worker that stays for a day has been forgiven its removals.</summary>
    public static readonly TimeSpan RemovalsForgotten = TimeSpan.FromDays(1);

    public string Kind => WorkKind.Reconcile;

    public Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken) => RunAsync(item, null, null, cancellationToken);

    /// <param name="progress">Called with every placement's outcome as soon as it is known.</param>
    /// <param name="finished">Called with the whole outcome.</param>
    public async Task<WorkResult> RunAsync(WorkItem item, Func<PlacementOutcome, Task>? progress, Action<Reconciliation>? finished, CancellationToken cancellationToken)
    {
        if (await portals.FindAsync(item.Id, cancellationToken) is not { State: PortalState.Installed } portal)
            return WorkResult.Done;
        var reconciliation = await reconciler.RunAsync(portal, progress, cancellationToken);
        finished?.Invoke(reconciliation);
        if (item.Payload == Removal)
            await CountRemovalAsync(portal, reconciliation.Placements.Any(static o => o is { Placement: PlacementCatalogue.BackgroundWorker, Changed: true }), cancellationToken);
        return reconciliation.FirstError is { } error ? WorkResult.Again(PauseAfter(error, item.Attempt)) : WorkResult.Done;
    }

    /// <summary>How long a removal notice has to wait: longer, the more often the worker has just been removed.</summary>
    public static TimeSpan PauseAfterRemovals(Portal portal, DateTimeOffset now) =>
        now - portal.RemovedAt > RemovalsForgotten ? TimeSpan.Zero : Pauses.Growing(portal.Removals, 0, 5, 30, 120, 600, 1800, 3600, 7200, 14400);

    /// <summary>A notice of what is still there counts as no removal; only when it was followed is kept, so that the next one has to wait.</summary>
    private async Task CountRemovalAsync(Portal portal, bool removed, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (removed)
            await portals.SaveRemovalsAsync(portal.Id, now - portal.RemovedAt > RemovalsForgotten ? 1 : portal.Removals + 1, now, cancellationToken);
        else if (portal.Removals == 0)
            await portals.SaveRemovalsAsync(portal.Id, 0, now, cancellationToken);
    }

    /// <summary>What a person has to mend first is looked at rarely: his mending asks for the work anew.</summary>
    private static TimeSpan PauseAfter(RestError error, int attempt) => error.Kind switch
    {
        RestErrorKind.Unavailable or RestErrorKind.OutcomeUnknown => Pauses.AfterSilence(attempt),
        RestErrorKind.NoTokens or RestErrorKind.NotConfigured => TimeSpan.FromDays(1),
        _ => Pauses.Growing(attempt, 60, 600, 3600, 21600, 86400),
    };
}
