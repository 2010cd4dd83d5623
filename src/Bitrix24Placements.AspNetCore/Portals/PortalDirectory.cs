using System.Collections.Concurrent;
using Bitrix24Placements.Storage;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Portals;

/// <summary>The portals in this process's memory, bounded. Knows nothing of the database: <see cref="PortalStore"/> fills it.</summary>
internal sealed class PortalDirectory
{
    private readonly ConcurrentDictionary<PortalId, KnownPortal> _portals = new();
    private readonly long[] _stamps = new long[1024];
    private readonly int _capacity;

    public PortalDirectory(IOptions<StorageOptions> options) => _capacity = options.Value.CachedPortals;

    public int Count => _portals.Count;

    public KnownPortal? Find(PortalId id)
    {
        if (!_portals.TryGetValue(id, out var portal))
            return null;
        // Written only when it changes: a shared cache line that every request writes would be a lock by another name.
        if (!portal.RecentlyUsed)
            portal.RecentlyUsed = true;
        return portal;
    }

    /// <summary>Every app's installation on this portal.</summary>
    public IReadOnlyList<KnownPortal> FindAll(string memberId) => Find(new(memberId)) is { } portal ? [portal] : [];

    /// <summary>Taken before a portal is read from the database, and given to <see cref="Put(KnownPortal, long)"/> with what was read.</summary>
    internal long Stamp(PortalId id) => Volatile.Read(ref StampOf(id));

    /// <summary>Keeps what was read, unless the portal has changed since the stamp was taken.</summary>
    internal void Put(KnownPortal portal, long stamp)
    {
        if (Interlocked.CompareExchange(ref StampOf(portal.Id), stamp + 1, stamp) == stamp)
            Keep(portal);
    }

    /// <summary>After a change: keeps the new state, or forgets the portal where there is none.</summary>
    internal void Replace(PortalId id, KnownPortal? portal)
    {
        Interlocked.Increment(ref StampOf(id));
        if (portal is null)
            _portals.TryRemove(id, out _);
        else
            Keep(portal);
    }

    internal bool Contains(PortalId id) => _portals.ContainsKey(id);

    private void Keep(KnownPortal portal)
    {
        portal.RecentlyUsed = true;
        _portals[portal.Id] = portal;
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

    private ref long StampOf(PortalId id) => ref _stamps[(uint)id.GetHashCode() % (uint)_stamps.Length];
}
