using System.Collections.Concurrent;
using System.Data.Common;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Counts loads by portal and hour, and keeps them every minute. They are not worth holding anything up for.</summary>
internal abstract class HourlyLoads(HourStore store, Readiness readiness) : RepeatingService(readiness, TimeSpan.FromSeconds(60))
{
    /// <summary>What Bitrix24 counts as slow.</summary>
    public static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(5);

    private ConcurrentDictionary<PortalId, WorkerHour> _now = new();

    private long Hour => Time.GetUtcNow().ToUnixTimeSeconds() / 3600;

    /// <summary>The oldest first.</summary>
    public async Task<IReadOnlyList<WorkerHour>> LastDayAsync(PortalId id, CancellationToken cancellationToken)
    {
        if (_now.TryRemove(id, out var hour))
            await store.AddAsync([hour], cancellationToken);
        return await store.SinceAsync(id, Hour - 23, cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (Readiness.IsReady && !_now.IsEmpty)
            await RunOnceAsync(cancellationToken);
    }

    /// <param name="max">Of one portal in a minute: beyond them its picture does not change.</param>
    protected void Count(PortalId id, TimeSpan took, long max = long.MaxValue)
    {
        var milliseconds = (long)took.TotalMilliseconds;
        var load = new WorkerHour(id, Hour, 1, took >= SlowFrom ? 1 : 0, milliseconds) { TotalMilliseconds = milliseconds };
        _now.AddOrUpdate(
            id, static (_, added) => added.load, static (_, sum, added) => sum.Loads >= added.max ? sum : sum.Add(added.load), (load, max));
    }

    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var written = Interlocked.Exchange(ref _now, new());
        try
        {
            await store.AddAsync([.. written.Values], stoppingToken);
            foreach (var added in written.Values.Where(static h => h.Slow > 0))
                await SlowAsync(added, stoppingToken);
            await store.ForgetAsync(Hour - 48, stoppingToken);
        }
        catch (DbException e)
        {
            NotKept(e.Message);
        }
    }

    protected virtual Task SlowAsync(WorkerHour added, CancellationToken cancellationToken) => Task.CompletedTask;

    protected abstract void NotKept(string reason);
}
