using Bitrix24Placements.Events;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>After an installation, an update, a removal notice, a changed declaration.</summary>
internal sealed partial class ReconcileWork(
    PortalStore portals, Reconciler reconciler, PlacementCatalogue catalogue, Administrators administrators, KeyCheck keys,
    InboxStore inbox, WorkStore work, TimeProvider time, ILogger<ReconcileWork> logger) : IWork
{
    /// <summary>The payload of the work that is stored together with the portal.</summary>
    public const string Installation = "installation";

    public const string Removal = "removal";

    private const string ForDeclaration = "declaration:";

    /// <summary>Otherwise whoever asked for his declaration may be gone.</summary>
    private static readonly TimeSpan LeftToItsAsker = TimeSpan.FromMinutes(1);

    /// <summary>Of a worker that stayed so long.</summary>
    public static readonly TimeSpan RemovalsForgotten = TimeSpan.FromDays(1);

    public string Kind => WorkKind.Reconcile;

    public Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken) =>
        RunAsync(item, _ => { }, _ => { }, cancellationToken);

    public async Task<WorkResult> RunAsync(
        WorkItem item, Action<PlacementOutcome> progress, Action<Reconciliation> finished, CancellationToken cancellationToken)
    {
        if (await portals.FindAsync(item.Id, cancellationToken) is not { State: PortalState.Installed } portal)
            return WorkResult.Done;
        // During an update instances of both versions run.
        if (item.Payload?.StartsWith(ForDeclaration, StringComparison.Ordinal) == true
            && item.Payload != ForDeclaration + catalogue.Declaration && time.GetUtcNow() - item.CreatedAt < LeftToItsAsker)
            return WorkResult.Again(Pauses.LeftToOthers());
        var check = Task.CompletedTask;
        // Twice where an attempt was cut off afterwards: the inbox takes it once.
        if (item.Payload == Installation)
        {
            check = keys.CheckAsync(portal, cancellationToken);
            await inbox.InstalledAsync(portal, time.GetUtcNow(), cancellationToken);
        }

        var reconciliation = await reconciler.RunAsync(portal, progress, cancellationToken);
        await check;
        if (item.Payload == Removal)
            await CountRemovalAsync(portal,
                reconciliation.Placements.Any(o => o is { Placement: PlacementCatalogue.BackgroundWorker, Changed: true }),
                cancellationToken);
        await work.RequestIfNoneAsync(portal.Id, WorkKind.Look, LookWork.FirstPause(), cancellationToken);
        finished(reconciliation);
        // The installation is told by now: later attempts have nothing of it to tell.
        var payload = item.Payload == Installation ? "" : null;
        if (reconciliation.FirstError is not { } error)
            return WorkResult.Done;
        var isDemoted = error.Code == RestErrors.AccessDenied && await administrators.HasResignedAsync(portal.Id, cancellationToken)
            && await portals.NoteOrdinaryAsync(portal.Id, portal.UserId, cancellationToken);
        return WorkResult.Again(isDemoted ? TimeSpan.Zero : PauseAfter(error, item.Attempt), payload);
    }

    /// <summary>For a portal that was last reconciled for another declaration.</summary>
    public static WorkRequest RequestFor(PortalId id, string declaration) => new(id, WorkKind.Reconcile)
    {
        Priority = WorkPriority.Unasked,
        Payload = ForDeclaration + declaration,
        OnlyIfNone = true,
    };

    public static TimeSpan PauseAfterRemovals(Portal portal, DateTimeOffset now) =>
        now - portal.RemovedAt > RemovalsForgotten ? TimeSpan.Zero
            : Pauses.Growing(portal.Removals, 0, 5, 30, 120, 600, 1800, 3600, 7200, 14400);

    /// <summary>What is still there was not removed.</summary>
    private async Task CountRemovalAsync(Portal portal, bool removed, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (!removed)
        {
            if (portal.Removals == 0)
                await portals.SaveRemovalsAsync(portal.Id, 0, now, cancellationToken);
            return;
        }

        Log.Removed(logger, portal.Id);
        var removals = now - portal.RemovedAt > RemovalsForgotten ? 1 : portal.Removals + 1;
        await portals.SaveRemovalsAsync(portal.Id, removals, now, cancellationToken);
        await work.RequestAsync(new(portal.Id, WorkKind.Look) { Delay = LookWork.AfterLoss }, cancellationToken);
    }

    /// <summary>What a person has to mend is looked at rarely: mending asks for it anew.</summary>
    private static TimeSpan PauseAfter(RestError error, int attempt) => error.Kind switch
    {
        RestErrorKind.Unavailable or RestErrorKind.OutcomeUnknown or RestErrorKind.TooMany => Pauses.AfterSilence(attempt),
        // Another instance has its keys, or will.
        RestErrorKind.NotConfigured => Pauses.Growing(attempt, 5, 60, 600, 3600),
        RestErrorKind.NoTokens => TimeSpan.FromDays(1),
        _ => Pauses.Growing(attempt, 60, 600, 3600, 21600, 86400),
    };

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning,
            "Bitrix24 had removed the worker of portal {MemberId}: it was slow too often. It is there again")]
        public static partial void Removed(ILogger logger, PortalId memberId);
    }
}
