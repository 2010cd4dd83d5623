using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Refusals;

/// <summary>503 at once is better than anybody waiting for five seconds. A place is taken when the body is there.</summary>
internal sealed class Places(IOptions<LimitsOptions> options)
{
    public const int MaxUnfinishedBodies = 1024;

    public const int MaxUnfinishedBodiesPerAddress = MaxUnfinishedBodies / UnfinishedShare;

    private const int UnfinishedShare = 16;

    private const int AddressShare = 4, PortalShare = 8, PairShare = 16;

    private readonly PlaceCounters[] _kinds = [.. Enum.GetValues<RequestKind>().Select(kind => new PlaceCounters(
        kind == RequestKind.Worker ? options.Value.ConcurrentWorkerLoads : options.Value.ConcurrentRequests,
        AddressShare, PortalShare, PairShare))];

    private readonly PlaceCounters _unfinishedBodies = new(MaxUnfinishedBodies, UnfinishedShare);

    /// <param name="portal">As claimed; empty where there is none.</param>
    public Place TryTake(RequestKind kind, HttpContext context, string portal)
    {
        var address = HashCode.Combine(ClientAddress.Of(context));
        return portal.Length == 0 ? _kinds[(int)kind].TryTake(address)
            : _kinds[(int)kind].TryTake(address, HashCode.Combine(portal), HashCode.Combine(portal, address));
    }

    /// <summary>For a body that did not come with its head.</summary>
    public Place TryTakeForUnfinishedBody(HttpContext context) =>
        _unfinishedBodies.TryTake(HashCode.Combine(ClientAddress.Of(context)));
}

/// <summary>A place, given back by disposing of it once.</summary>
internal readonly struct Place(PlaceCounters? counters, int[] keys) : IDisposable
{
    /// <summary>Otherwise the request is to be refused as <see cref="Rejection.Overloaded"/>.</summary>
    public bool IsTaken => counters is not null;

    public void Dispose() => counters?.Free(keys);
}

/// <summary>Counted in tables of fixed size, whatever keys come: two in one cell have one share together.</summary>
/// <param name="shares">The n-th key of a place has no more than this part.</param>
internal sealed class PlaceCounters(int max, params int[] shares)
{
    /// <summary>A power of two.</summary>
    private const int Cells = 4096;

    private readonly int[] _taken = new int[1 + (shares.Length * Cells)];

    public Place TryTake(params int[] keys)
    {
        if (!TryCount(ref _taken[0], max))
            return default;
        for (var i = 0; i < keys.Length; i++)
        {
            if (!TryCount(ref CellOf(i, keys[i]), Math.Max(1, max / shares[i])))
            {
                Free(keys.AsSpan(0, i));
                return default;
            }
        }

        return new(this, keys);
    }

    public void Free(ReadOnlySpan<int> keys)
    {
        for (var i = 0; i < keys.Length; i++)
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
