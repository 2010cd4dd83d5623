using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>The portals in memory, bounded: all installations of a portal, so that it is known which apps it has not.</summary>
internal sealed class PortalDirectory(IOptions<StorageOptions> options)
{
    private readonly ConcurrentDictionary<string, KnownPortal[]> _portals = new(StringComparer.OrdinalIgnoreCase);
    private readonly long[] _stamps = new long[1024];
    private readonly int _capacity = options.Value.CachedPortals;

    public int Count => _portals.Count;

    public KnownPortal? Find(PortalId id)
    {
        foreach (var portal in FindAll(id.MemberId))
        {
            if (portal.Id.App == id.App)
                return portal;
        }

        return null;
    }

    public KnownPortal[] FindAll(string memberId)
    {
        if (!_portals.TryGetValue(memberId, out var installations))
            return [];
        // Only when it changes: a cache line that every request writes would be a lock by another name.
        if (!installations[0].RecentlyUsed)
            installations[0].RecentlyUsed = true;
        return installations;
    }

    /// <summary>Taken before a portal is read, and given to <see cref="Put"/>.</summary>
    internal long Stamp(string memberId) => Volatile.Read(ref StampOf(memberId));

    /// <summary>Unless the portal has changed since the stamp was taken.</summary>
    internal void Put(string memberId, KnownPortal[] installations, long stamp)
    {
        if (Interlocked.CompareExchange(ref StampOf(memberId), stamp + 1, stamp) == stamp)
            Keep(memberId, installations);
    }

    internal void Replace(string memberId, KnownPortal[] installations)
    {
        Interlocked.Increment(ref StampOf(memberId));
        Keep(memberId, installations);
    }

    /// <summary>After a change elsewhere: what is being read may be from before it.</summary>
    /// <returns>Whether the portal is in memory.</returns>
    internal bool Outdate(string memberId)
    {
        Interlocked.Increment(ref StampOf(memberId));
        return _portals.ContainsKey(memberId);
    }

    internal void Clear()
    {
        for (var i = 0; i < _stamps.Length; i++)
            Interlocked.Increment(ref _stamps[i]);
        _portals.Clear();
    }

    private void Keep(string memberId, KnownPortal[] installations)
    {
        if (installations.Length == 0)
        {
            _portals.TryRemove(memberId, out _);
            return;
        }

        installations[0].RecentlyUsed = true;
        _portals[memberId] = installations;
        if (_portals.Count > _capacity)
            Evict();
    }

    // The clock algorithm, a sixteenth of the capacity at a time.
    private void Evict()
    {
        var surplus = Math.Max(1, _capacity / 16);
        foreach (var (memberId, installations) in _portals)
        {
            if (installations[0].RecentlyUsed)
                installations[0].RecentlyUsed = false;
            else if (_portals.TryRemove(memberId, out _) && --surplus == 0)
                return;
        }

        foreach (var (memberId, _) in _portals)
        {
            if (_portals.Count <= _capacity)
                return;
            _portals.TryRemove(memberId, out _);
        }
    }

    private ref long StampOf(string memberId) =>
        ref _stamps[(uint)memberId.GetHashCode(StringComparison.OrdinalIgnoreCase) % (uint)_stamps.Length];
}
