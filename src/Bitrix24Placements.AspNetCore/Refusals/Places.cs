using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Refusals;

/// <summary>What is done at the same time, each with places of its own: who fills one room keeps nobody out of another.</summary>
internal enum Room
{
    Workers,
    Pages,
    Api,
    Events,
}

/// <summary>
/// Beyond what can be answered in time, 503 at once is better than anybody waiting for five seconds. A place is taken when the body is
/// there.
/// </summary>
/// <remarks>Shares are counted in tables of fixed size: two portals that share a cell share their share as well.</remarks>
internal sealed class Places(IOptions<LimitsOptions> options)
{
    /// <summary>No portal holds more than this part of a room.</summary>
    private const int PortalShare = 8;

    /// <summary>No address either; more than a portal, as it may be an office's or Bitrix24's own.</summary>
    private const int AddressShare = 4;

    /// <summary>Anybody can name a portal: one address alone does not take all that the portal may have.</summary>
    private const int PairShare = 16;

    private readonly Counters[] _rooms =
    [
        new(options.Value.ConcurrentWorkerLoads),
        new(options.Value.ConcurrentRequests), new(options.Value.ConcurrentRequests), new(options.Value.ConcurrentRequests),
    ];

    /// <summary>One room's counters.</summary>
    internal sealed class Counters(int max)
    {
        private readonly Shares _portals = new(Math.Max(1, max / PortalShare));
        private readonly Shares _addresses = new(Math.Max(1, max / AddressShare));
        private readonly Shares _pairs = new(Math.Max(1, max / PairShare));
        private readonly Shares _all = new(max, cells: 1);

        public bool TryTake(int portal, int address)
        {
            if (!_all.TryTake(0))
                return false;
            if (!_addresses.TryTake(address))
                _all.Free(0);
            else if (portal == 0)
                return true;
            else if (!_pairs.TryTake(HashCode.Combine(portal, address)))
                Free(0, address);
            else if (_portals.TryTake(portal))
                return true;
            else
            {
                _pairs.Free(HashCode.Combine(portal, address));
                Free(0, address);
            }

            return false;
        }

        public void Free(int portal, int address)
        {
            if (portal != 0)
            {
                _portals.Free(portal);
                _pairs.Free(HashCode.Combine(portal, address));
            }

            _addresses.Free(address);
            _all.Free(0);
        }
    }

    /// <param name="max">For each cell.</param>
    /// <param name="cells">A power of two.</param>
    private sealed class Shares(int max, int cells = 4096)
    {
        private readonly int[] _taken = new int[cells];

        public bool TryTake(int key)
        {
            if (Interlocked.Increment(ref _taken[key & (cells - 1)]) <= max)
                return true;
            Free(key);
            return false;
        }

        public void Free(int key) => Interlocked.Decrement(ref _taken[key & (cells - 1)]);
    }

    /// <summary>A place, given back by disposing of it once.</summary>
    public readonly struct Place : IDisposable
    {
        private readonly Counters? _room;
        private readonly int _portal;
        private readonly int _address;

        internal Place(Counters room, int portal, int address) => (_room, _portal, _address) = (room, portal, address);

        /// <summary>Otherwise the request is to be refused as <see cref="Rejection.Overloaded"/>.</summary>
        public bool IsTaken => _room is not null;

        public void Dispose() => _room?.Free(_portal, _address);
    }

    /// <param name="portal">Whatever tells one portal from another, as claimed; empty where there is none.</param>
    public Place TryTake(Room room, HttpContext context, string portal)
    {
        var counters = _rooms[(int)room];
        var portalKey = portal.Length == 0 ? 0 : HashCode.Combine(portal) | 1 << 30;
        var addressKey = HashCode.Combine(ClientAddress.Of(context));
        return counters.TryTake(portalKey, addressKey) ? new(counters, portalKey, addressKey) : default;
    }
}
