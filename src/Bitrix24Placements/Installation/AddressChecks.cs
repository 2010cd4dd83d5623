using System.Collections.Concurrent;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Installation;

/// <summary>A worker load named another address than the one stored. Nobody believes it; it only has the OAuth server asked, now and then.</summary>
public sealed class AddressChecks(WorkStore work, WorkSignal signal, DetachedTasks tasks, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, DateTimeOffset> _suggested = new(StringComparer.Ordinal);

    /// <summary>Costs a look-up in memory, and once in ten minutes and portal a row of work.</summary>
    public void Suggest(string memberId)
    {
        var now = time.GetUtcNow();
        if (_suggested.TryGetValue(memberId, out var last) && now - last < Every)
            return;
        if (_suggested.Count >= Most)
            _suggested.Clear();
        _suggested[memberId] = now;
        tasks.Run("Asking for an address check", async cancellationToken =>
        {
            await work.RequestIfNoneAsync(memberId, WorkKind.Address, now, cancellationToken);
            signal.Wake();
        });
    }
}
