using System.Collections.Concurrent;
using System.Data.Common;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Placements;

/// <summary>How long the worker's answers took, by portal and hour, against Bitrix24's limit: slower than five seconds more than ten times
/// a day, and it removes the worker.</summary>
internal sealed partial class WorkerLoads(WorkerLoadStore store, Readiness readiness, TimeProvider time, ILogger<WorkerLoads> logger)
    : ReadyService(readiness)
{
    public static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(5);

    public const int WarnFrom = 3;

    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(60);

    private ConcurrentDictionary<PortalId, Counter> _now = new();

    private sealed class Counter
    {
        private long _loads;
        private long _slow;
        private TimeSpan _worst;

        public void Add(TimeSpan took)
        {
            lock (this)
            {
                _loads++;
                _slow += took >= SlowFrom ? 1 : 0;
                _worst = took > _worst ? took : _worst;
            }
        }

        public WorkerHour ToHour(PortalId id, long hour) => new(id, hour, _loads, _slow, (long)_worst.TotalMilliseconds);
    }

    private long Hour => time.GetUtcNow().ToUnixTimeSeconds() / 3600;

    public void Record(PortalId id, TimeSpan took)
    {
        _now.GetOrAdd(id, static _ => new Counter()).Add(took);
        if (took >= SlowFrom)
            Log.Slow(logger, id, took.TotalSeconds);
    }

    /// <summary>The last day's hours, oldest first, those in this process's memory included.</summary>
    public async Task<IReadOnlyList<WorkerHour>> LastDayAsync(PortalId id, CancellationToken cancellationToken)
    {
        if (_now.TryRemove(id, out var counter))
            await store.AddAsync([counter.ToHour(id, Hour)], cancellationToken);
        return await store.SinceAsync(id, Hour - 23, cancellationToken);
    }

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(FlushEvery, time, stoppingToken);
            await FlushAsync(stoppingToken);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (HasBegun && !_now.IsEmpty)
            await FlushAsync(cancellationToken);
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        WorkerHour[] hours = [.. Interlocked.Exchange(ref _now, new()).Select(p => p.Value.ToHour(p.Key, Hour))];
        try
        {
            await store.AddAsync(hours, cancellationToken);
            foreach (var hour in hours.Where(static h => h.Slow > 0))
                await WarnAsync(hour, cancellationToken);
            await store.ForgetAsync(Hour - 48, cancellationToken);
        }
        catch (DbException e)
        {
            // A count of loads is not worth holding anything up for.
            Log.NotKept(logger, e.Message);
        }
    }

    private async Task WarnAsync(WorkerHour added, CancellationToken cancellationToken)
    {
        var slow = (await store.SinceAsync(added.Id, Hour - 23, cancellationToken)).Sum(static h => h.Slow);
        if (slow >= WarnFrom && slow - added.Slow < WarnFrom)
            Log.Budget(logger, added.Id, slow);
    }

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
