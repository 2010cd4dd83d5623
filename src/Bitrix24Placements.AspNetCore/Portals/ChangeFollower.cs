using System.Data.Common;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Notices within seconds what other instances have changed: an uninstallation, a new application_token, a new address.</summary>
internal sealed partial class ChangeFollower(PortalStore store, Readiness readiness, TimeProvider time, ILogger<ChangeFollower> logger) : ReadyService(readiness)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        var troubled = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Every, time, stoppingToken);
            try
            {
                await store.FollowChangesAsync(stoppingToken);
                troubled = false;
            }
            catch (DbException e)
            {
                if (!troubled)
                    Log.Failed(logger, e.Message);
                troubled = true;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Changes made by other instances cannot be read: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
