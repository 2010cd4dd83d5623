namespace Bitrix24Placements.Storage;

/// <summary>Work in the background that begins when the service can serve.</summary>
internal abstract class ReadyService(Readiness readiness) : BackgroundService
{
    protected Readiness Readiness => readiness;

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await readiness.WaitAsync(stoppingToken);
            await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host takes it for a failure where it has not started itself.
        }
    }

    protected abstract Task RunAsync(CancellationToken stoppingToken);
}
