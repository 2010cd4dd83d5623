using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Notices within seconds what other instances have changed: an uninstallation, a new application_token, a new address.</summary>
internal sealed class ChangeFollower(PortalStore store, Readiness readiness, TimeProvider time, ILogger<ChangeFollower> logger)
    : ReadyService(readiness)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    protected override Task RunAsync(CancellationToken stoppingToken) =>
        RepeatAsync(store.FollowChangesAsync, Every, time, logger, stoppingToken);
}
