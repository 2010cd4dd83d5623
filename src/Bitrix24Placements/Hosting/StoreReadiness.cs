using System.Data.Common;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Hosting;

/// <summary>Applies the schema at start and says when the store has answered. A database that is late is waited for; the process meanwhile serves its health.</summary>
public sealed partial class StoreReadiness(SchemaInstaller schema, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<StoreReadiness> logger) : BackgroundService
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsReady => _ready.Task.IsCompletedSuccessfully;

    public Task WaitAsync(CancellationToken cancellationToken) => _ready.Task.WaitAsync(cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var attempt = 0; !stoppingToken.IsCancellationRequested; attempt++)
        {
            try
            {
                await schema.EnsureAsync(stoppingToken);
                _ready.TrySetResult();
                return;
            }
            catch (SchemaTooNewException e)
            {
                Log.TooNew(logger, e.Message);
                Environment.ExitCode = 1;
                lifetime.StopApplication();
                return;
            }
            catch (Exception e) when (e is DbException or IOException or UnauthorizedAccessException or InvalidOperationException or System.Net.Sockets.SocketException)
            {
                Log.Waiting(logger, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(Math.Min(10, 0.5 * (attempt + 1))), time, stoppingToken);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The database cannot be used yet ({Reason}); trying again")]
        public static partial void Waiting(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Critical, "{Reason}")]
        public static partial void TooNew(ILogger logger, string reason);
    }
}
