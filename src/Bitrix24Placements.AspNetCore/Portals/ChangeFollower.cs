using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>What other instances have changed, noticed within seconds.</summary>
internal sealed class ChangeFollower(PortalStore store, Readiness readiness) : RepeatingService(readiness, TimeSpan.FromSeconds(2))
{
    protected override Task RunOnceAsync(CancellationToken stoppingToken) => store.FollowChangesAsync(stoppingToken);
}
