using System.Collections.Concurrent;
using System.Data.Common;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Installation;

/// <summary>Carries out work that is due, a few pieces at a time, and keeps the leases of what it does.</summary>
public sealed partial class WorkLoop(WorkStore store, WorkSignal signal, IEnumerable<IWork> works, Readiness readiness, TimeProvider time, ILogger<WorkLoop> logger) : ReadyService(readiness)
{
    private const int Concurrency = 8;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly IWork[] _works = [.. works];
    private readonly SemaphoreSlim _places = new(Concurrency);
    private readonly ConcurrentDictionary<Task, bool> _running = new();

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        var troubled = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var items = await store.ClaimAsync(Math.Max(1, _places.CurrentCount), stoppingToken);
                foreach (var item in items)
                {
                    await _places.WaitAsync(stoppingToken);
                    var run = RunInPlaceAsync(item, stoppingToken);
                    _running[run] = true;
                    _ = run.ContinueWith(ended => _running.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                }

                if (items.Count == 0)
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

    private async Task RunInPlaceAsync(WorkItem item, CancellationToken stoppingToken)
    {
        try
        {
            var work = Array.Find(_works, w => w.Kind == item.Kind || (w.Kind.EndsWith(':') && item.Kind.StartsWith(w.Kind, StringComparison.Ordinal)));
            if (work is not null)
                await RunClaimedAsync(item, token => work.RunAsync(item, token), stoppingToken);
        }
        finally
        {
            _places.Release();
            signal.Wake();
        }
    }

    public override void Dispose()
    {
        _places.Dispose();
        base.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The database cannot be asked for work: {Reason}")]
        public static partial void StoreFailed(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Error, "Work {Kind} for portal {MemberId} failed; it is tried again")]
        public static partial void Failed(ILogger logger, Exception exception, string kind, string memberId);
    }
}
