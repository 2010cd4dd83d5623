namespace Bitrix24Placements.Storage;

/// <summary>Something done again and again once the service can serve, whatever comes of it: one line when it begins to fail.</summary>
internal abstract partial class RepeatingService(Readiness readiness, TimeSpan pause) : BackgroundService
{
    private readonly TimeSpan _pauseAfterFailure = TimeSpan.FromSeconds(Math.Clamp(pause.TotalSeconds, min: 1, max: 60));

    protected Readiness Readiness => readiness;

    protected TimeProvider Time => readiness.Time;

    protected abstract Task RunOnceAsync(CancellationToken stoppingToken);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isFailing = false;
        await readiness.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunOnceAsync(stoppingToken);
                isFailing = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // The host takes it for a failure where it has not started itself.
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // A background service that ends takes the host with it.
                var logger = readiness.Loggers.CreateLogger(GetType());
                if (!isFailing && e is DbException or TimeoutException or IOException)
                    Log.Waiting(logger, GetType().Name, e.Message);
                else if (!isFailing)
                    Log.Failed(logger, e, GetType().Name);
                isFailing = true;
            }

            await Task.Delay(isFailing ? _pauseAfterFailure : pause, Time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
