using System.Net.Sockets;

namespace Bitrix24Placements.Storage;

/// <summary>Makes schema and keys usable, and says when the service can serve. A late database is waited for.</summary>
internal sealed partial class Readiness(Database database, TokenKeys keys, DatabaseClock clock, IEnumerable<IReadyStep> steps,
    IHostApplicationLifetime lifetime, TimeProvider time, ILoggerFactory loggers) : BackgroundService
{
    private readonly ILogger _logger = loggers.CreateLogger<Readiness>();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TimeProvider Time => time;

    public ILoggerFactory Loggers => loggers;

    public bool IsReady => _ready.Task.IsCompletedSuccessfully;

    public Task WaitAsync(CancellationToken cancellationToken) => _ready.Task.WaitAsync(cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var attempt = 1; !stoppingToken.IsCancellationRequested; attempt++)
        {
            try
            {
                await keys.ReadAsync(stoppingToken);
                await clock.MeasureAsync(stoppingToken);
                foreach (var step in steps)
                    await step.PrepareAsync(stoppingToken);
                _ready.TrySetResult();
                return;
            }
            catch (SchemaTooNewException e)
            {
                Log.TooNew(_logger, e.Message);
                Stop();
                return;
            }
            catch (Exception e) when (e is DbException or IOException or UnauthorizedAccessException or SocketException
                or CryptographicException or TimeoutException)
            {
                Log.Waiting(_logger, database.Place, e.GetBaseException().Message);
                database.ClearPool();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // The host takes it for a failure where it has not started itself.
            }
            catch (Exception e)
            {
                // Trying again mends nothing, and a host that stops by itself says that all is well.
                Log.Failed(_logger, e);
                Stop();
                return;
            }

            await Task.Delay(TimeSpan.FromSeconds(Math.Min(10, 0.5 * attempt)), time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Stop()
    {
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The database at {Place} or the keys of tokens cannot be used yet ({Reason}); trying again")]
        public static partial void Waiting(ILogger logger, string place, string reason);

        [LoggerMessage(2, LogLevel.Critical, "{Reason}")]
        public static partial void TooNew(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Critical, "The service cannot be made ready")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
