using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Bitrix24 tells that it has removed the worker. The key in the address is all that proves it; what it says is looked up on the portal.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/background-worker.html</remarks>
internal sealed partial class RemovalNotices(
    PortalStore portals, WorkStore work, WorkSignal signal, UnverifiedAttempts attempts, RejectionWriter rejections, InstallationMetrics metrics, TimeProvider time, ILogger<RemovalNotices> logger)
{
    /// <summary>However many notices come, the placements are looked at no more often.</summary>
    private static readonly TimeSpan ChecksApart = TimeSpan.FromSeconds(5);

    private static readonly Rejection UnknownKey = new(404, "notFound") { IsFailedAttempt = true };

    public async Task ReceiveAsync(HttpContext context)
    {
        var key = (string)context.GetRouteValue("key")!;
        if (key.Length > 128 || await portals.FindByRemovalKeyAsync(key, context.RequestAborted) is not { } memberId || await portals.FindAsync(memberId, context.RequestAborted) is not { } portal)
        {
            // Only who has guessed is refused: a notice is sent once, and behind an unknown proxy it has everybody's address.
            var refused = attempts.MayTry(context, AttemptKind.Removal, "removal") ? UnknownKey : Rejection.TooManyAttempts;
            attempts.Failed(context, AttemptKind.Removal, "removal");
            await rejections.WriteAsync(context, refused);
            return;
        }

        if (portal.State == PortalState.Installed)
            await RequestCheckAsync(portal);
        context.Response.StatusCode = StatusCodes.Status200OK;
    }

    private async Task RequestCheckAsync(Portal portal)
    {
        var now = time.GetUtcNow();
        var pause = ReconcileWork.PauseAfterRemovals(portal, now);
        // Removals count from when they were mended; looks that found nothing missing keep their distance too.
        var due = portal.Removals == 0 ? Max(now, portal.RemovedAt + ChecksApart) : Max(now, portal.RemovedAt + pause, portal.ReconciledAt + ChecksApart);
        await work.RequestAsync(portal.Id, WorkKind.Reconcile, due, ChecksApart, ReconcileWork.Removal, resetAttempts: false, CancellationToken.None);
        metrics.WorkerRemoved();
        Log.Removed(logger, portal.Id, (due - now).TotalSeconds);
        signal.Wake();
    }

    private static DateTimeOffset Max(params ReadOnlySpan<DateTimeOffset> instants)
    {
        var latest = instants[0];
        foreach (var instant in instants)
            latest = instant > latest ? instant : latest;
        return latest;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Bitrix24 has removed the worker of portal {MemberId}: it was slow too often. The placements are looked at in {Seconds:0} s")]
        public static partial void Removed(ILogger logger, PortalId memberId, double seconds);
    }
}
