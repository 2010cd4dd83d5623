using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Loads by portal and hour, kept every minute. They hold nothing up.</summary>
internal abstract class HourlyLoads(Database database, Sql table, Readiness readiness)
    : RepeatingService(readiness, TimeSpan.FromSeconds(60))
{
    /// <summary>What Bitrix24 counts as slow.</summary>
    public static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(5);

    private readonly HourStore _store = new(database, table);
    private ConcurrentDictionary<PortalId, LoadSum> _now = new();

    private long Hour => Time.GetUtcNow().ToUnixTimeSeconds() / 3600;

    /// <summary>The oldest first, with this process's last minute.</summary>
    public async Task<IReadOnlyList<WorkerHour>> LastDayAsync(PortalId id, CancellationToken cancellationToken)
    {
        var hours = await _store.SinceAsync(id, Hour - 23, cancellationToken);
        if (!_now.TryGetValue(id, out var sum))
            return hours;
        var now = sum.ToHour(id, Hour);
        return [.. hours.Where(h => h.Hour != now.Hour), hours.Where(h => h.Hour == now.Hour).Aggregate(now, (all, h) => all.Add(h))];
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (Readiness.IsReady && !_now.IsEmpty)
            await FlushAsync(cancellationToken);
    }

    /// <param name="max">Of one portal in a minute: more change nothing in its picture.</param>
    protected void Count(PortalId id, TimeSpan took, long max = long.MaxValue) =>
        _now.GetOrAdd(id, static _ => new LoadSum()).Add(took, max);

    protected override Task RunOnceAsync(CancellationToken stoppingToken) => FlushAsync(stoppingToken);

    internal async Task FlushAsync(CancellationToken cancellationToken)
    {
        WorkerHour[] hours = [.. Interlocked.Exchange(ref _now, new()).Select(p => p.Value.ToHour(p.Key, Hour))];
        try
        {
            await _store.AddAsync(hours, cancellationToken);
            foreach (var added in hours.Where(h => h.Slow > 0))
                await SlowAsync(added, cancellationToken);
            await _store.ForgetAsync(Hour - 48, cancellationToken);
        }
        catch (DbException e)
        {
            NotKept(e.Message);
        }
    }

    protected virtual Task SlowAsync(WorkerHour added, CancellationToken cancellationToken) => Task.CompletedTask;

    protected abstract void NotKept(string reason);

    // Each worker's load comes by here: it makes nothing new.
    private sealed class LoadSum
    {
        private readonly Lock _lock = new();
        private long _loads, _slow, _total, _worst;

        public void Add(TimeSpan took, long max)
        {
            var milliseconds = (long)took.TotalMilliseconds;
            lock (_lock)
            {
                if (_loads >= max)
                    return;
                _loads++;
                _slow += took >= SlowFrom ? 1 : 0;
                _total += milliseconds;
                _worst = Math.Max(_worst, milliseconds);
            }
        }

        public WorkerHour ToHour(PortalId id, long hour)
        {
            lock (_lock)
                return new(id, hour, _loads, _slow, _worst) { TotalMilliseconds = _total };
        }
    }
}
