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

    /// <summary>Null: nothing is known yet.</summary>
    public async Task<Reconciliation?> RunAsync(PortalId id, Func<PlacementOutcome, Task> progress, CancellationToken cancellationToken)
    {
        Reconciliation? outcome = null;
        var outcomes = Channel.CreateUnbounded<PlacementOutcome>();
        _ = tasks.Run("Reconciling after an installation", async stopped =>
        {
            try
            {
                await loop.RunNowAsync(id, WorkKind.Reconcile,
                    (item, token) => reconcile.RunAsync(item, o => outcomes.Writer.TryWrite(o), r => outcome = r, token), stopped);
                outcome ??= await ReadOutcomeAsync(id, stopped);
            }
            finally
            {
                outcomes.Writer.Complete();
            }
        });
        using var timeout = new CancellationTokenSource(WatchedFor, time);
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await foreach (var placement in outcomes.Reader.ReadAllAsync(watching.Token))
                await progress(placement);
            return outcome;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<Reconciliation?> ReadOutcomeAsync(PortalId id, CancellationToken cancellationToken) =>
        await portals.FindAsync(id, cancellationToken) is { Placements: { } stored } portal
            ? new(PlacementOutcome.Read(stored), portal.Declaration.Length == 0 ? GoesOn : null) : null;
}
