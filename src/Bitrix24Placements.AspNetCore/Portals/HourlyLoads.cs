using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Loads by portal and hour, kept every minute. They hold nothing up.</summary>
internal abstract class HourlyLoads(Database database, Sql table, Readiness readiness)
    : RepeatingService(readiness, TimeSpan.FromSeconds(60))
{
    /// <summary>What Bitrix24 counts as slow.</summary>
    public static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(5);

    private readonly HourStore _store = new(database, table);
    private ConcurrentDictionary<PortalId, WorkerHour> _now = new();

    private long Hour => Time.GetUtcNow().ToUnixTimeSeconds() / 3600;

    public async Task<IReadOnlyList<WorkerHour>> LastDayAsync(PortalId id, CancellationToken cancellationToken)
    {
        if (_now.TryRemove(id, out var sum))
            await _store.AddAsync([sum with { Hour = Hour }], cancellationToken);
        return await _store.SinceAsync(id, Hour - 23, cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (Readiness.IsReady && !_now.IsEmpty)
            await RunOnceAsync(cancellationToken);
    }

    /// <param name="max">Of one portal in a minute: more change nothing in its picture.</param>
    protected void Count(PortalId id, TimeSpan took, long max = long.MaxValue)
    {
        var milliseconds = (long)took.TotalMilliseconds;
        var load = new WorkerHour(id, Hour, 1, took >= SlowFrom ? 1 : 0, milliseconds) { TotalMilliseconds = milliseconds };
        _now.AddOrUpdate(id, load, (_, sum) => sum.Loads < max ? sum.Add(load) : sum);
    }

    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        WorkerHour[] hours = [.. Interlocked.Exchange(ref _now, new()).Select(p => p.Value with { Hour = Hour })];
        try
        {
            await _store.AddAsync(hours, stoppingToken);
            foreach (var added in hours.Where(h => h.Slow > 0))
                await SlowAsync(added, stoppingToken);
            await _store.ForgetAsync(Hour - 48, stoppingToken);
        }
        catch (DbException e)
        {
            NotKept(e.Message);
        }
    }

    protected virtual Task SlowAsync(WorkerHour added, CancellationToken cancellationToken) => Task.CompletedTask;

    protected abstract void NotKept(string reason);
}
