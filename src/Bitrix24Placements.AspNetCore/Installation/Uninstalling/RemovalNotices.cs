using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Bitrix24 has removed the worker. The key in the address is all that proves it, so the portal is asked.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/background-worker.html</remarks>
internal sealed class RemovalNotices(
    PortalStore portals, WorkStore work, Spool spool, Guard guard, InstallationMetrics metrics, TimeProvider time)
    : ISpoolHandler, IDisposable
{
    /// <summary>However many notices come, the placements are looked at no more often.</summary>
    private static readonly TimeSpan ChecksApart = TimeSpan.FromSeconds(5);

    private static readonly Rejection UnknownKey = new(404, "notFound") { IsFailedAttempt = true };

    private readonly Turns _turns = new(TimeSpan.FromMilliseconds(100));

    public string Kind => "removal";

    public Task ReceiveAsync(HttpContext context) =>
        context.GetRouteValue("key") is string { Length: 64 } key && key.All(char.IsAsciiHexDigit)
            ? guard.RunAsync(context, RequestKind.Removal, "", () => ReceiveAsync(context, key), turns: _turns)
            : guard.RunAsync(context, RequestKind.Removal, "", () => Task.FromResult<Rejection?>(UnknownKey));

    private async Task<Rejection?> ReceiveAsync(HttpContext context, string key)
    {
        try
        {
            return await HearAsync(key, context.RequestAborted) ? null : UnknownKey;
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            // A notice is sent once. What names the entry goes to the log: the key must not.
            return await spool.PutAsync(Kind, ApplicationToken.Hash(key)[..16], key, ClientAddress.Of(context), CancellationToken.None)
                ? null : Rejection.StoreUnavailable;
        }
    }

    /// <summary>A key that is nobody's is done with as well.</summary>
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
        var pause = ReconcileWork.PauseAfterRemovals(portal, now);
        // Removals count from when they were mended; looks that found nothing missing keep their distance too.
        var due = portal.Removals == 0 ? Max(now, portal.RemovedAt + ChecksApart)
            : Max(now, portal.RemovedAt + pause, portal.ReconciledAt + ChecksApart);
        await work.RequestAsync(
            new(portal.Id, WorkKind.Reconcile)
            {
                Delay = due - now,
                PauseIfThere = ChecksApart,
                Payload = ReconcileWork.Removal,
                KeepsAttempts = true,
            }, CancellationToken.None);
        metrics.WorkerRemoved();
    }

    public void Dispose() => _turns.Dispose();

    private static DateTimeOffset Max(params IEnumerable<DateTimeOffset> instants) => instants.Max();
}
