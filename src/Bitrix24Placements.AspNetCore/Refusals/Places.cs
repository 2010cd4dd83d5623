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
/// Beyond what can be answered in time, 503 at once is better than anybody waiting for five seconds. A place is taken when the body
/// is there.
/// </summary>
/// <remarks>Shares are counted in tables of fixed size: two portals that share a cell share their share as well.</remarks>
internal sealed class Places(IOptions<LimitsOptions> options)
{
    /// <summary>No portal holds more than this part of a room.</summary>
    private const int PortalShare = 8;

    /// <summary>No address either; more than a portal, as it may be an office's or Bitrix24's own.</summary>
    private const int AddressShare = 4;

    private readonly Counters[] _rooms =
    [
        new(options.Value.ConcurrentWorkerLoads),
        new(options.Value.ConcurrentRequests), new(options.Value.ConcurrentRequests), new(options.Value.ConcurrentRequests),
    ];

    internal sealed class Counters(int max)
    {
        /// <summary>A power of two.</summary>
        private const int Cells = 4096;

        private readonly int[] _portals = new int[Cells];
        private readonly int[] _addresses = new int[Cells];
        private int _taken;

        public bool TryTake(int portal, int address)
        {
            if (TryTake(ref _taken, max))
            {
                if (TryTake(ref _addresses[address & (Cells - 1)], Share(AddressShare)))
                {
                    if (portal == 0 || TryTake(ref _portals[portal & (Cells - 1)], Share(PortalShare)))
                        return true;
                    Interlocked.Decrement(ref _addresses[address & (Cells - 1)]);
                }

                Interlocked.Decrement(ref _taken);
            }

            return false;
        }

        public void Free(int portal, int address)
        {
            if (portal != 0)
                Interlocked.Decrement(ref _portals[portal & (Cells - 1)]);
            Interlocked.Decrement(ref _addresses[address & (Cells - 1)]);
            Interlocked.Decrement(ref _taken);
        }

        private int Share(int part) => Math.Max(1, max / part);

        private static bool TryTake(ref int taken, int max)
        {
            if (Interlocked.Increment(ref taken) <= max)
                return true;
            Interlocked.Decrement(ref taken);
            return false;
        }
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
        var portalCell = portal.Length == 0 ? 0 : HashCode.Combine(portal) | 1 << 30;
        var addressCell = HashCode.Combine(ClientAddress.Of(context));
        return counters.TryTake(portalCell, addressCell) ? new(counters, portalCell, addressCell) : default;
    }
}
