using Bitrix24Placements.Events;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>What nobody asks for.</summary>
internal sealed partial class Upkeep(
    PortalStore portals, WorkStore work, KeptInstallations kept, InboxStore inbox, WorkSignal signal, PlacementCatalogue catalogue,
    TokenRefresher tokens, Readiness readiness, TimeProvider time, ILogger<Upkeep> logger) : ReadyService(readiness)
{
    private const int Page = 200;

    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>Refresh tokens live for 180 days; the vendor forbids refreshing by a schedule, so each is renewed once, and late.</summary>
    private static readonly TimeSpan RenewAfter = TimeSpan.FromDays(150);

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        await TryAsync(kept.HastenAsync, stoppingToken);
        signal.Wake();
        await TryAsync(RequestForOtherDeclarationsAsync, stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            await TryAsync(RenewOldTokensAsync, stoppingToken);
            await TryAsync(portals.ForgetOldChangesAsync, stoppingToken);
            await TryAsync(token => portals.DeleteExpiredAsync(Page, token), stoppingToken);
            await TryAsync(inbox.ForgetOldAsync, stoppingToken);
            await Task.Delay(Every, time, stoppingToken);
        }
    }

    /// <summary>A page at a time, so that a million of them do not hold up the start.</summary>
    private async Task RequestForOtherDeclarationsAsync(CancellationToken cancellationToken)
    {
        if (!catalogue.CanDeclare)
            return;
        var count = 0;
        DeclaredPortal? last = null;
        while (await portals.OfOtherDeclarationAsync(catalogue.Declaration, last, Page, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var portal in page)
                await work.RequestIfNoneAsync(portal.Id, WorkKind.Reconcile, TimeSpan.Zero, cancellationToken);
            count += page.Count;
            last = page[^1];
        }

        if (count > 0)
            Log.Redeclared(logger, count);
    }

    private async Task RenewOldTokensAsync(CancellationToken cancellationToken)
    {
        var due = await portals.UnusedSinceAsync(time.GetUtcNow() - RenewAfter, Page, cancellationToken);
        foreach (var (id, isReserve) in due)
        {
            if (await portals.FindAsync(id, cancellationToken) is not { } portal)
                continue;
            if (isReserve)
                await tokens.RefreshReserveAsync(portal, cancellationToken);
            else if (portal.Tokens is not null)
                await tokens.RefreshAsync(portal, afresh: false, cancellationToken);
        }
    }

    private async Task TryAsync(Func<CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        try
        {
            await action(cancellationToken);
        }
        catch (DbException e) when (!cancellationToken.IsCancellationRequested)
        {
            Log.StoreFailed(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The declared placements have changed: {Count} portals are looked at again")]
        public static partial void Redeclared(ILogger logger, int count);

        [LoggerMessage(2, LogLevel.Error, "The database did not answer: {Reason}")]
        public static partial void StoreFailed(ILogger logger, string reason);
    }
}
