using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>Work that no answer waits for, but the stop of the service.</summary>
internal sealed partial class DetachedTasks(ILogger<DetachedTasks> logger, IHostApplicationLifetime lifetime) : IHostedService
{
    private readonly RunningTasks _running = new();

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
        _running.Add(task);
        return task;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => _running.WaitAsync(cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Name} failed")]
        public static partial void Failed(ILogger logger, Exception exception, string name);
    }
}
