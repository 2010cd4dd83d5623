namespace Bitrix24Placements.Refusals;

/// <summary>What Bitrix24 sends once is heard even of whoever has failed too often, but one at a time: nobody else's writes are to wait for
/// his.</summary>
internal sealed class Turns(TimeSpan timeout) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Waits though the sender may have gone away: he will not send it again.</summary>
    /// <param name="otherwise">Where the turn does not come in time.</param>
    public async Task<T> RunAsync<T>(Func<Task<T>> run, T otherwise)
    {
        if (!await _turn.WaitAsync(timeout))
            return otherwise;
        try
        {
            return await run();
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
