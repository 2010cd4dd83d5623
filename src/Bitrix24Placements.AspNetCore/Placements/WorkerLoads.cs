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

    /// <summary>Against the time that a flush took.</summary>
    private const int MinRest = 9;

    private ConcurrentDictionary<PortalId, Counter> _now = new();

    private sealed class Counter
    {
        private long _worstMilliseconds;

        public long Loads;
        public long Slow;

        public long Worst => Volatile.Read(ref _worstMilliseconds);

        public void Add(TimeSpan took)
        {
            Interlocked.Increment(ref Loads);
            if (took >= SlowFrom)
                Interlocked.Increment(ref Slow);
            var milliseconds = (long)took.TotalMilliseconds;
            for (var worst = Worst; milliseconds > worst; worst = Worst)
                Interlocked.CompareExchange(ref _worstMilliseconds, milliseconds, worst);
        }
    }

    public void Record(PortalId id, TimeSpan took)
    {
        _now.GetOrAdd(id, static _ => new Counter()).Add(took);
        if (took >= SlowFrom)
            Log.Slow(logger, id, took.TotalSeconds);
    }

    /// <summary>The last day's hours, oldest first, those in this process's memory included.</summary>
    public async Task<IReadOnlyList<WorkerHour>> LastDayAsync(PortalId id, CancellationToken cancellationToken)
    {
        await FlushAsync(id, cancellationToken);
        return await store.SinceAsync(id, Hour - 23, cancellationToken);
    }

    private long Hour => time.GetUtcNow().ToUnixTimeSeconds() / 3600;

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        var pause = FlushEvery;
        try
        {
            while (true)
            {
                await Task.Delay(pause, time, stoppingToken);
                var started = time.GetTimestamp();
                await FlushAllAsync(stoppingToken);
                // With very many portals the database has something else to do for most of the time.
                var rest = MinRest * time.GetElapsedTime(started);
                pause = rest > FlushEvery ? rest : FlushEvery;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (HasBegun && !_now.IsEmpty)
            await FlushAllAsync(cancellationToken);
    }

    internal async Task FlushAllAsync(CancellationToken cancellationToken)
    {
        var flushed = Interlocked.Exchange(ref _now, new());
        try
        {
            await store.AddAsync(
                [.. flushed.Select(p => new WorkerHour(p.Key, Hour, p.Value.Loads, p.Value.Slow, p.Value.Worst))], cancellationToken);
            foreach (var (id, counter) in flushed.Where(static p => p.Value.Slow > 0))
                await WarnAsync(id, counter.Slow, cancellationToken);
            await store.ForgetAsync(Hour - 48, cancellationToken);
        }
        catch (DbException e)
        {
            // A count of loads is not worth holding anything up for.
            Log.NotKept(logger, e.Message);
        }
    }

    private async Task FlushAsync(PortalId id, CancellationToken cancellationToken)
    {
        if (_now.TryRemove(id, out var counter))
            await store.AddAsync([new(id, Hour, counter.Loads, counter.Slow, counter.Worst)], cancellationToken);
    }

    private async Task WarnAsync(PortalId id, long added, CancellationToken cancellationToken)
    {
        var slow = (await store.SinceAsync(id, Hour - 23, cancellationToken)).Sum(static h => h.Slow);
        if (slow >= WarnFrom && slow - added < WarnFrom)
            Log.Budget(logger, id, slow);
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
