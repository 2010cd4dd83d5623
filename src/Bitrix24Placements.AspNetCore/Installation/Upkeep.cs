using Bitrix24Placements.Events;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>What nobody asks for.</summary>
internal sealed partial class Upkeep(
    PortalStore portals, WorkStore work, InboxStore inbox, PlacementCatalogue catalogue, TokenRefresher tokens, Readiness readiness,
    ILogger<Upkeep> logger) : RepeatingService(readiness, TimeSpan.FromHours(1))
{
    private const int Page = 200;

    /// <summary>Refresh tokens live for 180 days; the vendor forbids refreshing by a schedule: each is renewed once, and late.</summary>
    private static readonly TimeSpan RenewAfter = TimeSpan.FromDays(150);

    // At the start, and for what instances of the version before have done since.
    private int _comparisons = 2;

    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await work.PutRightAsync(stoppingToken);
        await RequestForOtherDeclarationsAsync(stoppingToken);
        await portals.ForgetOldChangesAsync(stoppingToken);
        await inbox.TakeUpAsync(stoppingToken);
        await inbox.ForgetOldAsync(stoppingToken);
        await RenewOldTokensAsync(stoppingToken);
        await portals.DeleteExpiredAsync(Page, stoppingToken);
    }

    /// <summary>In pages: a million portals must not hold up the start.</summary>
    private async Task RequestForOtherDeclarationsAsync(CancellationToken cancellationToken)
    {
        if (_comparisons == 0 || !catalogue.CanDeclare)
            return;
        var declaration = catalogue.Declaration;
        var count = 0;
        DeclaredPortal? last = null;
        while (await portals.OfOtherDeclarationAsync(declaration, last, Page, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var portal in page)
                await work.RequestAsync(ReconcileWork.RequestFor(portal.Id, declaration), cancellationToken);
            count += page.Count;
            last = page[^1];
        }

        _comparisons--;
        if (count > 0)
            Log.Redeclared(logger, count);
    }

    private async Task RenewOldTokensAsync(CancellationToken cancellationToken)
    {
        foreach (var (id, isReserve) in await portals.UnusedSinceAsync(Time.GetUtcNow() - RenewAfter, Page, cancellationToken))
        {
            if (await portals.FindAsync(id, cancellationToken) is not { } portal)
                continue;
            if (isReserve)
                await tokens.RefreshReserveAsync(portal, cancellationToken);
            else if (portal.Tokens is not null)
                await tokens.RefreshAsync(portal, afresh: false, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The declared placements have changed: {Count} portals are looked at again")]
        public static partial void Redeclared(ILogger logger, int count);
    }
}
