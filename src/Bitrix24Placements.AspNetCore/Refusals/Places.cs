using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Refusals;

/// <summary>503 at once is better than anybody waiting for five seconds. A place is taken when the body is there.</summary>
internal sealed class Places(IOptions<LimitsOptions> options)
{
    public const int MaxUnfinishedBodies = 1024;

    public const int MaxUnfinishedBodiesPerAddress = MaxUnfinishedBodies / UnfinishedShare;

    /// <summary>When half of all are taken, so that a few addresses do not take the rest.</summary>
    public const int MaxUnfinishedBodiesPerAddressWhenCrowded = MaxUnfinishedBodiesPerAddress / CrowdedDivisor;

    private const int UnfinishedShare = 16, CrowdedDivisor = 8;

    private const int AddressShare = 4, PortalShare = 8, PairShare = 16;

    private readonly PlaceCounters[] _kinds = [.. Enum.GetValues<RequestKind>().Select(kind => new PlaceCounters(
        kind == RequestKind.Worker ? options.Value.ConcurrentWorkerLoads : options.Value.ConcurrentRequests,
        AddressShare, PortalShare, PairShare))];

    private readonly PlaceCounters _unfinishedBodies = new(MaxUnfinishedBodies, UnfinishedShare) { CrowdedDivisor = CrowdedDivisor };

    /// <param name="portal">As claimed; empty where there is none.</param>
    public Place TryTake(RequestKind kind, HttpContext context, string portal) =>
        _kinds[(int)kind].TryTake(new(AddressOf(context), portal.Length == 0 ? null : HashCode.Combine(portal)));

    /// <summary>For a body that did not come with its head.</summary>
    public Place TryTakeForUnfinishedBody(HttpContext context) =>
        _unfinishedBodies.TryTake(new(AddressOf(context), null));

    private static int AddressOf(HttpContext context) => HashCode.Combine(ClientAddress.Of(context));
}

/// <summary>Whom a place is counted to: the address, the portal, and this address at this portal.</summary>
internal readonly record struct PlaceKeys(int Address, int? Portal)
{
    public int Count => Portal is null ? 1 : 3;

    public int this[int index] => index switch
    {
        0 => Address,
        1 => Portal ?? 0,
        _ => HashCode.Combine(Portal, Address),
    };
}

/// <summary>A place, given back by disposing of it once.</summary>
internal readonly struct Place(PlaceCounters? counters, PlaceKeys keys) : IDisposable
{
    /// <summary>Otherwise the request is to be refused as <see cref="Rejection.Overloaded"/>.</summary>
    public bool IsTaken => counters is not null;

    public void Dispose() => counters?.Free(keys, keys.Count);
}

/// <summary>Counted in tables of fixed size, whatever keys come: two in one cell have one share together.</summary>
/// <param name="shares">The n-th key of a place has no more than this part.</param>
internal sealed class PlaceCounters(int max, params int[] shares)
{
    /// <summary>A power of two.</summary>
    private const int Cells = 4096;

    private readonly int[] _taken = new int[1 + (shares.Length * Cells)];

    /// <summary>When half of all places are taken, the shares are so many times smaller.</summary>
    public int CrowdedDivisor { get; init; } = 1;

    public Place TryTake(PlaceKeys keys)
    {
        if (!TryCount(ref _taken[0], max))
            return default;
        var divisor = _taken[0] > max / 2 ? CrowdedDivisor : 1;
        for (var i = 0; i < keys.Count; i++)
        {
            if (!TryCount(ref CellOf(i, keys[i]), Math.Max(1, max / shares[i] / divisor)))
            {
                Free(keys, i);
                return default;
            }
        }

        return new(this, keys);
    }

    /// <param name="count">Of the keys, those that have been counted.</param>
    public void Free(PlaceKeys keys, int count)
    {
        for (var i = 0; i < count; i++)
            Interlocked.Decrement(ref CellOf(i, keys[i]));
        Interlocked.Decrement(ref _taken[0]);
    }

    private static bool TryCount(ref int cell, int max)
    {
        if (Interlocked.Increment(ref cell) <= max)
            return true;
        Interlocked.Decrement(ref cell);
        return false;
    }

    private ref int CellOf(int share, int key) => ref _taken[1 + (share * Cells) + (key & (Cells - 1))];
}
