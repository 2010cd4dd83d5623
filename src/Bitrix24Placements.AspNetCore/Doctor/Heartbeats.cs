using System.Collections.Concurrent;
using System.Data.Common;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Doctor;

/// <summary>What workers say of themselves after their load. Nobody vouches for it: it is shown as the browsers' own word, and decides
/// nothing.</summary>
internal sealed partial class Heartbeats(
    HeartbeatStore store, PortalDirectory directory, AppRegistry apps, Readiness readiness, TimeProvider time, ILogger<Heartbeats> logger)
        : ReadyService(readiness)
{
    /// <summary>Of one portal between two writes to the database: beyond them a portal's picture does not change.</summary>
    private const int MaxBeats = 2_000;

    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MaxLoad = TimeSpan.FromMinutes(2);

    private ConcurrentDictionary<PortalId, HeartbeatHour> _now = new();

    /// <summary>Only of installations in this process's memory, which the worker's load has brought there: no made-up id takes a row.</summary>
    public void Add(string memberId, string clientId, TimeSpan load)
    {
        if (load < TimeSpan.Zero || load > MaxLoad || apps.FindByClientId(clientId) is not { } app
            || directory.Find(new(memberId, app.Name)) is not { State: PortalState.Installed, Id: var id })
        {
            return;
        }

        var milliseconds = (long)load.TotalMilliseconds;
        var beat = new HeartbeatHour(id, Hour, 1, load >= WorkerLoads.SlowFrom ? 1 : 0, milliseconds, milliseconds);
        _now.AddOrUpdate(id, static (_, beat) => beat, static (_, sum, beat) => sum.Count >= MaxBeats ? sum : Sum(sum, beat), beat);
    }

    public async Task<HeartbeatHour> LastDayAsync(PortalId id, CancellationToken cancellationToken)
    {
        var stored = await store.SinceAsync(id, Hour - 23, cancellationToken);
        var none = new HeartbeatHour(id, Hour, 0, 0, 0, 0);
        return stored.Append(_now.GetValueOrDefault(id, none)).Aggregate(none, Sum);
    }

    private static HeartbeatHour Sum(HeartbeatHour a, HeartbeatHour b) => a with
    {
        Count = a.Count + b.Count,
        Slow = a.Slow + b.Slow,
        TotalMilliseconds = a.TotalMilliseconds + b.TotalMilliseconds,
        WorstMilliseconds = Math.Max(a.WorstMilliseconds, b.WorstMilliseconds),
    };

    private long Hour => time.GetUtcNow().ToUnixTimeSeconds() / 3600;

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
        if (HasBegun)
            await FlushAsync(cancellationToken);
    }

    /// <summary>Writes what is in memory, as it happens every minute.</summary>
    internal async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_now.IsEmpty)
            return;
        var flushed = Interlocked.Exchange(ref _now, new());
        try
        {
            await store.AddAsync([.. flushed.Values], cancellationToken);
            await store.ForgetAsync(Hour - 48, cancellationToken);
        }
        catch (DbException e)
        {
            // A sample is not worth holding anything up for.
            Log.NotKept(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Heartbeats of workers could not be kept: {Reason}")]
        public static partial void NotKept(ILogger logger, string reason);
    }
}
