namespace Bitrix24Placements.Storage;

/// <summary>Work in the background that begins when the service can serve: no request waits for it. A fault is told in the log,
/// and it goes on.</summary>
internal abstract partial class ReadyService(Readiness readiness) : BackgroundService
{
    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(1);

    protected bool HasBegun => readiness.IsReady;

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await readiness.WaitAsync(stoppingToken);
            while (!await TryRunAsync(stoppingToken))
                await Task.Delay(FailurePause, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host takes it for a failure where it has not started itself.
        }
    }

    protected abstract Task RunAsync(CancellationToken stoppingToken);

    private async Task<bool> TryRunAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAsync(stoppingToken);
            return true;
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            // Whatever it is: a background service that ends takes the whole host with it.
            Log.Failed(readiness.Logger, e, GetType().Name);
            return false;
        }
    }

    /// <summary>Does something again and again, whatever comes of it: one line when it begins to fail, not one each time.</summary>
    protected async Task RepeatAsync(
        Func<CancellationToken, Task> action, TimeSpan pause, TimeProvider time, ILogger logger, CancellationToken stoppingToken)
    {
        var isFailing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = pause;
            try
            {
                await action(stoppingToken);
                isFailing = false;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it is: a background service that ends takes the whole host with it.
                if (!isFailing && e is System.Data.Common.DbException or TimeoutException or IOException)
                    Log.Waiting(logger, GetType().Name, e.Message);
                else if (!isFailing)
                    Log.Failed(logger, e, GetType().Name);
                isFailing = true;
                wait = pause > FailurePause ? pause : FailurePause;
            }

            await Task.Delay(wait, time, stoppingToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Service} has to wait: {Reason}")]
        public static partial void Waiting(ILogger logger, string service, string reason);

        [LoggerMessage(2, LogLevel.Error, "{Service} failed; it goes on")]
        public static partial void Failed(ILogger logger, Exception exception, string service);
    }
}
