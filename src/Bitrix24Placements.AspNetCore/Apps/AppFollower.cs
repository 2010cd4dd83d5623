using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Apps;

/// <summary>Notices within seconds what apps were added, changed or removed by a command or by another instance.</summary>
internal sealed class AppFollower(AppRegistry apps, Readiness readiness, TimeProvider time, ILogger<AppFollower> logger)
    : ReadyService(readiness)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    protected override Task RunAsync(CancellationToken stoppingToken) =>
        RepeatAsync(apps.RefreshAsync, Every, time, logger, stoppingToken);
}
