using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Doctor;

/// <summary>The browsers' word on the worker's load: it decides nothing.</summary>
internal sealed partial class Heartbeats(
    Database database, PortalDirectory directory, AppRegistry apps, Readiness readiness, ILogger<Heartbeats> logger)
        : HourlyLoads(database, "heartbeats", readiness)
{
    private const int MaxBeats = 2_000;

    private static readonly TimeSpan MaxLoad = TimeSpan.FromMinutes(2);

    /// <summary>Only of installations in memory: no made-up id takes a row.</summary>
    public void Add(string memberId, string clientId, TimeSpan load)
    {
        if (load >= TimeSpan.Zero && load <= MaxLoad && apps.FindByClientId(clientId) is { } app
            && directory.Find(new(memberId, app.Name)) is { State: PortalState.Installed, Id: var id })
            Count(id, load, MaxBeats);
    }

    /// <summary>Of the last day.</summary>
    public async Task<WorkerHour> SumAsync(PortalId id, CancellationToken cancellationToken) =>
        (await LastDayAsync(id, cancellationToken)).Aggregate(new WorkerHour(id, 0, 0, 0, 0), (sum, hour) => sum.Add(hour));

    protected override void NotKept(string reason) => Log.NotKept(logger, reason);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Heartbeats of workers could not be kept: {Reason}")]
        public static partial void NotKept(ILogger logger, string reason);
    }
}
