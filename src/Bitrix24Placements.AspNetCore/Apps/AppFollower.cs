using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Apps;

/// <summary>Apps that were changed by a command or by another instance.</summary>
internal sealed class AppFollower(AppRegistry apps, Readiness readiness) : RepeatingService(readiness, TimeSpan.FromSeconds(2))
{
    protected override Task RunOnceAsync(CancellationToken stoppingToken) => apps.RefreshAsync(stoppingToken);
}
