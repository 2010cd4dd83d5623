using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>What commands and other instances change, noticed within seconds.</summary>
internal sealed class ChangeFollower(
    PortalStore portals, AppRegistry apps, KeptInstallations kept, WorkSignal work, Readiness readiness)
    : RepeatingService(readiness, TimeSpan.FromSeconds(2))
{
    private IReadOnlyList<RegisteredApp>? _known;

    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await portals.FollowChangesAsync(stoppingToken);
        await apps.RefreshAsync(stoppingToken);
        var now = apps.All;
        if (now == _known)
            return;
        // They may be the added app's.
        await kept.HastenAsync(stoppingToken);
        work.Wake();
        _known = now;
    }
}
