using System.Collections.Concurrent;
using System.Net;

namespace Bitrix24Placements.Rest;

/// <summary>On threads of their own: the system's resolver holds its thread for many seconds, and the pool's threads answer
/// pages.</summary>
internal sealed class NameLookup(Func<string, IPAddress[]> resolve)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> _running = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whoever asks for a name that is being looked up gets the same answer.</summary>
    public Task<IPAddress[]> FindAsync(string host, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host, out var address)
            ? Task.FromResult<IPAddress[]>([address])
            : _running.GetOrAdd(host, name => new(() => Task.Factory.StartNew(
                    () => Find(name), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)))
                .Value.WaitAsync(cancellationToken);

    private IPAddress[] Find(string host)
    {
        try
        {
            return resolve(host);
        }
        finally
        {
            _running.TryRemove(host, out _);
        }
    }
}
