using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bitrix24Placements.Rest;

/// <summary>Looks names up on threads of their own. The system's resolver holds its thread for many seconds where it gets no answer, and
/// the pool's threads answer pages.</summary>
/// <param name="resolve">The system's resolver, but in tests.</param>
internal sealed class NameLookup(Func<string, IPAddress[]> resolve)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> _running = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whoever asks for a name that is being looked up gets the same answer.</summary>
    /// <exception cref="SocketException">The name is not known, or nobody answers.</exception>
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
