namespace Bitrix24Placements.Storage;

/// <summary>Something done again and again, whatever comes of it: one line when it begins to fail.</summary>
internal abstract partial class RepeatingService(Readiness readiness, TimeSpan pause) : ReadyService(readiness)
{
    private static readonly TimeSpan MinFailurePause = TimeSpan.FromSeconds(1);

    protected TimeProvider Time => Readiness.Time;

    protected abstract Task RunOnceAsync(CancellationToken stoppingToken);

    protected sealed override async Task RunAsync(CancellationToken stoppingToken)
    {
        var logger = Readiness.Loggers.CreateLogger(GetType());
        var isFailing = false;
        while (true)
        {
            try
            {
                await RunOnceAsync(stoppingToken);
                isFailing = false;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it is: a background service that ends takes the whole host with it.
                if (!isFailing && e is DbException or TimeoutException or IOException)
                    Log.Waiting(logger, GetType().Name, e.Message);
                else if (!isFailing)
                    Log.Failed(logger, e, GetType().Name);
                isFailing = true;
            }

            await Task.Delay(isFailing && pause < MinFailurePause ? MinFailurePause : pause, Time, stoppingToken);
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
