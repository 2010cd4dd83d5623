using Bitrix24Placements.Portals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Runs the work that an installation has filed, now, to show its progress. It goes on without the browser.</summary>
internal sealed class InstallationRun(ReconcileWork reconcile, WorkLoop loop, PortalStore portals, DetachedTasks tasks)
{
    /// <summary>Where this process dies before the wizard has begun.</summary>
    public static readonly TimeSpan BackgroundTakesOver = TimeSpan.FromSeconds(4);

    public static readonly RestError GoesOn = RestError.Unavailable("The installation goes on in the background.");

    /// <summary>Null: nothing is known yet.</summary>
    public async Task<Reconciliation?> RunAsync(PortalId id, Func<PlacementOutcome, Task> progress)
    {
        Reconciliation? outcome = null;
        await tasks.Run("Reconciling after an installation", async cancellationToken =>
        {
            await loop.RunNowAsync(
                id, WorkKind.Reconcile, (item, token) => reconcile.RunAsync(item, progress, r => outcome = r, token), cancellationToken);
            outcome ??= await ReadOutcomeAsync(id, cancellationToken);
        });
        return outcome;
    }

    private async Task<Reconciliation?> ReadOutcomeAsync(PortalId id, CancellationToken cancellationToken) =>
        await portals.FindAsync(id, cancellationToken) is { Placements: { } stored } portal
            ? new(PlacementOutcome.Read(stored), portal.Declaration.Length == 0 ? GoesOn : null) : null;
}
