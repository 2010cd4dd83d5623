using System.Collections.Concurrent;
using System.Data.Common;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>Carries out work that is due, in the order of its priorities, and keeps the leases of what it does.</summary>
internal sealed partial class WorkLoop(WorkStore store, WorkSignal signal, IEnumerable<IWork> works, Readiness readiness, TimeProvider time, ILogger<WorkLoop> logger) : ReadyService(readiness)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>What has been running for longer waits for a portal: it takes nobody's place.</summary>
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(2);

    private const int WaitingPerPlace = 8;

    /// <summary>In their order, with how much may be running when one of them begins: there is always room for whoever asks for something.</summary>
    private static readonly (WorkPriority Priority, int Places)[] Priorities = [(WorkPriority.Asked, 32), (WorkPriority.Again, 24), (WorkPriority.Unasked, 16)];

    private readonly IWork[] _works = [.. works];
    private readonly ConcurrentDictionary<Task, long> _running = new();

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        var troubled = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!await BeginDueAsync(stoppingToken))
                    await signal.WaitAsync(LookEvery, stoppingToken);
                troubled = false;
            }
            catch (DbException e)
            {
                // One line for an outage, not one a second.
                if (!troubled)
                    Log.StoreFailed(logger, e.Message);
                troubled = true;
                await Task.Delay(LookEvery, time, stoppingToken);
            }
        }
    }

    /// <summary>What has begun is ended before the process ends.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await Task.WhenAll(_running.Keys).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Its leases run out, and the next process goes on with it.
        }
    }

    private async Task<bool> BeginDueAsync(CancellationToken stoppingToken)
    {
        var begun = false;
        foreach (var (priority, places) in Priorities)
        {
            if (RoomWithin(places) is not (> 0 and var room))
                break;
            foreach (var item in await store.ClaimAsync(priority, room, stoppingToken))
            {
                Begin(item, stoppingToken);
                begun = true;
            }
        }

        return begun;
    }

    private int RoomWithin(int places) =>
        Math.Min(places - _running.Count(r => time.GetElapsedTime(r.Value) < Quick), (places * WaitingPerPlace) - _running.Count);

    private void Begin(WorkItem item, CancellationToken stoppingToken)
    {
        if (Array.Find(_works, w => w.Kind == item.Kind || (w.Kind.EndsWith(':') && item.Kind.StartsWith(w.Kind, StringComparison.Ordinal))) is not { } work)
            return;
        var run = RunClaimedAsync(item, token => work.RunAsync(item, token), stoppingToken);
        _running[run] = time.GetTimestamp();
        _ = run.ContinueWith(
            ended =>
            {
                _running.TryRemove(ended, out _);
                signal.Wake();
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The database cannot be asked for work: {Reason}")]
        public static partial void StoreFailed(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "Work {Kind} for portal {MemberId} failed; it is tried again")]
        public static partial void Failed(ILogger logger, Exception exception, string kind, PortalId memberId);
    }
}
