using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Rest;

/// <summary>On so many threads of their own: the system's resolver holds its thread for many seconds, and the pool's answer
/// pages.</summary>
internal sealed class NameLookup(Func<string, IPAddress[]> resolve) : IDisposable
{
    public const int MaxThreads = 64;

    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(1), AskedAgainAfter = TimeSpan.FromSeconds(20);

    private readonly SemaphoreSlim _threads = new(MaxThreads);
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> _running = new();

    // Whose name servers do not answer holds no thread over and over.
    private readonly MemoryCache _silent = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    /// <summary>Who asks for a name that is being looked up gets the same answer.</summary>
    public Task<IPAddress[]> FindAsync(string host, CancellationToken cancellationToken)
    {
        host = host.ToLowerInvariant();
        return IPAddress.TryParse(host, out var address) ? Task.FromResult<IPAddress[]>([address])
            : _silent.TryGetValue(host, out SocketException? silence) ? Task.FromException<IPAddress[]>(silence!)
            : _running.GetOrAdd(host, name => new(() => LookUpAsync(name))).Value.WaitAsync(cancellationToken);
    }

    private async Task<IPAddress[]> LookUpAsync(string host)
    {
        await _threads.WaitAsync();
        var started = Stopwatch.GetTimestamp();
        try
        {
            return await Task.Factory.StartNew(
                () => resolve(host), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        catch (SocketException e) when (Stopwatch.GetElapsedTime(started) > Prompt)
        {
            _silent.Set(host, e, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = AskedAgainAfter });
            throw;
        }
        finally
        {
            _threads.Release();
            _running.TryRemove(host, out _);
        }
    }

    public void Dispose()
    {
        _threads.Dispose();
        _silent.Dispose();
    }
}
