using System.Net;

namespace Bitrix24Placements.Rest;

/// <summary>On so many threads of their own: the system's resolver holds its thread for many seconds, and the pool's answer
/// pages.</summary>
internal sealed class NameLookup(Func<string, IPAddress[]> resolve) : IDisposable
{
    public const int MaxThreads = 64;

    private readonly SemaphoreSlim _threads = new(MaxThreads);
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> _running = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Who asks for a name that is being looked up gets the same answer.</summary>
    public Task<IPAddress[]> FindAsync(string host, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host, out var address)
            ? Task.FromResult<IPAddress[]>([address])
            : _running.GetOrAdd(host, name => new(() => LookUpAsync(name))).Value.WaitAsync(cancellationToken);

    private async Task<IPAddress[]> LookUpAsync(string host)
    {
        await _threads.WaitAsync();
        try
        {
            return await Task.Factory.StartNew(
                () => resolve(host), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            _threads.Release();
            _running.TryRemove(host, out _);
        }
    }

    public void Dispose() => _threads.Dispose();
}
