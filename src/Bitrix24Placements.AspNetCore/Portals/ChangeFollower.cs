using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Notices within seconds what other instances have changed: an uninstallation, a new application_token, a new address.</summary>
internal sealed class ChangeFollower(PortalStore store, Readiness readiness) : RepeatingService(readiness, TimeSpan.FromSeconds(2))
{
    protected override Task RunOnceAsync(CancellationToken stoppingToken) => store.FollowChangesAsync(stoppingToken);
}
