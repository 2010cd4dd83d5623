namespace Bitrix24Placements.Storage;

/// <summary>Work in the background that begins when the service can serve. A fault is told in the log, and it begins again.</summary>
internal abstract partial class ReadyService(Readiness readiness) : BackgroundService
{
    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(1);

    protected Readiness Readiness => readiness;

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await readiness.WaitAsync(stoppingToken);
            while (!await TryRunAsync(stoppingToken))
                await Task.Delay(FailurePause, readiness.Time, stoppingToken);
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
            Log.Failed(readiness.Loggers.CreateLogger(GetType()), e, GetType().Name);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3, LogLevel.Error, "{Service} failed; it begins again")]
        public static partial void Failed(ILogger logger, Exception exception, string service);
    }
}
