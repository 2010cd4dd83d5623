using System.Collections.Concurrent;

namespace Bitrix24Placements.Work;

/// <summary>Work that an answer does not wait for, but the stop of the service.</summary>
internal sealed partial class DetachedTasks(ILogger<DetachedTasks> logger, IHostApplicationLifetime lifetime) : IHostedService
{
    private readonly ConcurrentDictionary<Task, bool> _running = new();

    public Task Run(string name, Func<CancellationToken, Task> work)
    {
        var task = Task.Run(async () =>
        {
            try
            {
                await work(lifetime.ApplicationStopped);
            }
            catch (OperationCanceledException)
            {
            }
            catch (Exception e)
            {
                Log.Failed(logger, e, name);
            }
        });
        if (!task.IsCompleted)
        {
            _running[task] = true;
            task.ContinueWith(static (t, state) => ((ConcurrentDictionary<Task, bool>)state!).TryRemove(t, out _), _running,
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return task;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(_running.Keys).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Name} failed")]
        public static partial void Failed(ILogger logger, Exception exception, string name);
    }
}
