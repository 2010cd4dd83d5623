using Bitrix24Placements.Portals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Runs the work that an installation has filed, now, so that its progress can be shown. It goes on if the browser goes
/// away.</summary>
internal sealed class InstallationRun(ReconcileWork reconcile, WorkStore work, WorkLoop loop, PortalStore portals, DetachedTasks tasks,
    TimeProvider time)
{
    /// <summary>The background does it if this process dies before the wizard has begun.</summary>
    public static readonly TimeSpan BackgroundTakesOver = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan OthersTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Null: nothing is known of the outcome yet.</summary>
    public async Task<Reconciliation?> RunAsync(PortalId id, Func<PlacementOutcome, Task> progress)
    {
        Reconciliation? outcome = null;
        await tasks.Run("Reconciling after an installation", async cancellationToken =>
            outcome = await RunAsync(id, progress, cancellationToken));
        return outcome;
    }

    private async Task<Reconciliation?> RunAsync(PortalId id, Func<PlacementOutcome, Task> progress, CancellationToken cancellationToken)
    {
        if (reconcile.Running(id) is { } running)
            return await running;
        if (await work.ClaimAsync(id, WorkKind.Reconcile, cancellationToken) is not { } item)
            return await AwaitOthersAsync(id, cancellationToken);
        Reconciliation? outcome = null;
        await loop.RunClaimedAsync(item, token => reconcile.RunAsync(item, progress, r => outcome = r, token), cancellationToken);
        return outcome ?? await ReadOutcomeAsync(id, cancellationToken);
    }

    /// <summary>Another instance is at it.</summary>
    private async Task<Reconciliation?> AwaitOthersAsync(PortalId id, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); time.GetElapsedTime(started) < OthersTimeout;)
        {
            if (reconcile.Running(id) is { } running)
                return await running;
            if (!await work.ExistsAsync(id, WorkKind.Reconcile, cancellationToken))
                return await ReadOutcomeAsync(id, cancellationToken);
            await Task.Delay(LookEvery, time, cancellationToken);
        }

        return null;
    }

    private async Task<Reconciliation?> ReadOutcomeAsync(PortalId id, CancellationToken cancellationToken) =>
        await portals.FindAsync(id, cancellationToken) is { Placements: { } stored }
            ? Reconciliation.From(StoredPlacement.ReadAll(stored)) : null;
}
