namespace Bitrix24Placements.Work;

/// <summary>So that the loop does not wait for its next look.</summary>
internal sealed class WorkSignal : IDisposable
{
    private readonly SemaphoreSlim _semaphore = new(0);

    public void Wake()
    {
        if (_semaphore.CurrentCount == 0)
            _semaphore.Release();
    }

    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => _semaphore.WaitAsync(atMost, cancellationToken);

    public void Dispose() => _semaphore.Dispose();
}
