using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Placements;

/// <summary>How long the worker's answers took, by portal and hour: slower than five seconds more than ten times a day, and Bitrix24
/// removes it.</summary>
internal sealed partial class WorkerLoads(Database database, Readiness readiness, ILogger<WorkerLoads> logger)
    : HourlyLoads(database, "worker_hours", readiness)
{
    public const int WarnFrom = 3;

    public void Record(PortalId id, TimeSpan took)
    {
        Count(id, took);
        if (took >= SlowFrom)
            Log.Slow(logger, id, took.TotalSeconds);
    }

    protected override async Task SlowAsync(WorkerHour added, CancellationToken cancellationToken)
    {
        var slow = (await LastDayAsync(added.Id, cancellationToken)).Sum(h => h.Slow);
        if (slow >= WarnFrom && slow - added.Slow < WarnFrom)
            Log.Budget(logger, added.Id, slow);
    }

    protected override void NotKept(string reason) => Log.NotKept(logger, reason);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A worker load of portal {MemberId} took {Seconds:0.0} s; Bitrix24 counts those over 5 s")]
        public static partial void Slow(ILogger logger, PortalId memberId, double seconds);

        [LoggerMessage(
            2, LogLevel.Warning,
                "Portal {MemberId} has had {Slow} slow worker loads within a day; at more than ten Bitrix24 removes the worker")]
        public static partial void Budget(ILogger logger, PortalId memberId, long slow);

        [LoggerMessage(3, LogLevel.Warning, "Counts of worker loads could not be kept: {Reason}")]
        public static partial void NotKept(ILogger logger, string reason);
    }
}
