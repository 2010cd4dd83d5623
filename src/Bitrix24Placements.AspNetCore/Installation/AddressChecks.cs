using System.Collections.Concurrent;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>A worker load named another address than the one stored. Nobody believes it; it only has the OAuth server asked, now and
/// then.</summary>
internal sealed class AddressChecks(WorkStore work, WorkSignal signal, DetachedTasks tasks, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);
    private const int MaxPortals = 10_000;

    private readonly ConcurrentDictionary<PortalId, DateTimeOffset> _suggested = new();

    /// <summary>Costs a look-up in memory, and once in ten minutes and portal a row of work.</summary>
    public void Suggest(PortalId id)
    {
        var now = time.GetUtcNow();
        if (_suggested.TryGetValue(id, out var last) && now - last < Every)
            return;
        if (_suggested.Count >= MaxPortals)
            _suggested.Clear();
        _suggested[id] = now;
        tasks.Run("Asking for an address check", async cancellationToken =>
        {
            await work.RequestIfNoneAsync(id, WorkKind.Address, now, cancellationToken);
            signal.Wake();
        });
    }
}
