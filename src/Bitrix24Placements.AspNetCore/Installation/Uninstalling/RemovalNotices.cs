using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Bitrix24 has removed the worker. Only the key in the address proves it, so the portal is asked.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/background-worker.html</remarks>
internal sealed class RemovalNotices(
    PortalStore portals, WorkStore work, Spool spool, Guard guard, InstallationMetrics metrics, TimeProvider time)
    : ISpoolHandler, IDisposable
{
    private static readonly TimeSpan ChecksApart = TimeSpan.FromSeconds(5);

    private static readonly Rejection UnknownKey = new(404, "notFound") { IsFailedAttempt = true };

    private readonly Turns _turns = new(TimeSpan.FromMilliseconds(100));

    /// <summary>Any administrator knows his portal's key, and the database is everybody's.</summary>
    private readonly HeardTogether _heard = new(TimeSpan.FromMilliseconds(500), time);

    public string Kind => "removal";

    public Task ReceiveAsync(HttpContext context) =>
        context.GetRouteValue("key") is string { Length: 64 } key && key.All(char.IsAsciiHexDigit)
            ? guard.RunAsync(context, RequestKind.Removal, "", () => _heard.RunAsync(key, () => ReceiveAsync(context, key)),
                isKnown: _heard.IsHeard(key), turns: _turns)
            : guard.RefuseAsync(context, RequestKind.Removal, "", UnknownKey);

    private async Task<Rejection?> ReceiveAsync(HttpContext context, string key)
    {
        try
        {
            // Not the request's own cancellation: others wait for the answer, too.
            return await HearAsync(key, CancellationToken.None) ? null : UnknownKey;
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            // Sent once. The entry's name goes to the log: the key must not.
            return await spool.PutAsync(Kind, ApplicationToken.Hash(key)[..16], key, ClientAddress.Of(context), CancellationToken.None)
                ? null : Rejection.StoreUnavailable;
        }
    }

    /// <summary>Done with, whosever key it is.</summary>
    public async Task<bool> CarryOverAsync(string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken)
    {
        await HearAsync(payload, cancellationToken);
        return true;
    }

    private async Task<bool> HearAsync(string key, CancellationToken cancellationToken)
    {
        if (await portals.FindByRemovalKeyAsync(key, cancellationToken) is not { } id
            || await portals.FindAsync(id, cancellationToken) is not { } portal)
            return false;
        if (portal.State == PortalState.Installed)
            await RequestCheckAsync(portal);
        return true;
    }

    private async Task RequestCheckAsync(Portal portal)
    {
        var now = time.GetUtcNow();
        // Removals count from when they were mended; looks keep their distance too.
        DateTimeOffset[] notBefore = portal.Removals == 0 ? [now, portal.RemovedAt + ChecksApart]
            : [now, portal.RemovedAt + ReconcileWork.PauseAfterRemovals(portal, now), portal.ReconciledAt + ChecksApart];
        await work.RequestAsync(
            new(portal.Id, WorkKind.Reconcile)
            {
                Delay = notBefore.Max() - now,
                PauseIfThere = ChecksApart,
                Payload = ReconcileWork.Removal,
                GivesWayTo = ReconcileWork.Installation,
                KeepsAttempts = true,
            }, CancellationToken.None);
        metrics.WorkerRemoved();
    }

    public void Dispose() => _turns.Dispose();
}
