using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Portals;

/// <summary>The portals in this process's memory, bounded. Knows nothing of the database: <see cref="PortalStore"/> fills it.</summary>
public sealed class PortalDirectory
{
    private readonly ConcurrentDictionary<string, KnownPortal> _portals = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KnownPortal>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly long[] _stamps = new long[1024];
    private readonly int _capacity;

    public PortalDirectory(IOptions<StorageOptions> options)
    {
        _bySpan = _portals.GetAlternateLookup<ReadOnlySpan<char>>();
        _capacity = options.Value.CachedPortals;
    }

    public int Count => _portals.Count;

    public KnownPortal? Find(ReadOnlySpan<char> memberId)
    {
        if (!_bySpan.TryGetValue(memberId, out var portal))
            return null;
        // Written only when it changes: a shared cache line that every request writes would be a lock by another name.
        if (!portal.RecentlyUsed)
            portal.RecentlyUsed = true;
        return portal;
    }

    /// <summary>Taken before a portal is read from the database, and given to <see cref="Put(KnownPortal, long)"/> with what was read.</summary>
    internal long Stamp(string memberId) => Volatile.Read(ref StampOf(memberId));

    /// <summary>Keeps what was read, unless the portal has changed since the stamp was taken.</summary>
    internal void Put(KnownPortal portal, long stamp)
    {
        if (Interlocked.CompareExchange(ref StampOf(portal.MemberId), stamp + 1, stamp) == stamp)
            Keep(portal);
    }

    /// <summary>After a change: keeps the new state, or forgets the portal where there is none.</summary>
    internal void Replace(string memberId, KnownPortal? portal)
    {
        Interlocked.Increment(ref StampOf(memberId));
        if (portal is null)
            _portals.TryRemove(memberId, out _);
        else
            Keep(portal);
    }

    internal bool Contains(string memberId) => _portals.ContainsKey(memberId);

    private void Keep(KnownPortal portal)
    {
        portal.RecentlyUsed = true;
        _portals[portal.MemberId] = portal;
        if (_portals.Count > _capacity)
            Evict();
    }

    /// <summary>One pass of the clock algorithm, a sixteenth of the capacity at a time so that it is rare.</summary>
    private void Evict()
    {
        var surplus = Math.Max(1, _capacity / 16);
        foreach (var (key, portal) in _portals)
        {
            if (portal.RecentlyUsed)
                portal.RecentlyUsed = false;
            else if (_portals.TryRemove(key, out _) && --surplus == 0)
                return;
        }

        foreach (var (key, _) in _portals)
        {
            if (_portals.Count <= _capacity)
                return;
            _portals.TryRemove(key, out _);
        }
    }

    private ref long StampOf(string memberId) => ref _stamps[(uint)string.GetHashCode(memberId, StringComparison.Ordinal) % (uint)_stamps.Length];
}
