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
    public Place TryTake(RequestKind kind, HttpContext context, string portal) =>
        _kinds[(int)kind].TryTake(new(ClientAddress.Of(context), portal));

    /// <summary>For a body that did not come with its head.</summary>
    public Place TryTakeForUnfinishedBody(HttpContext context) => _unfinishedBodies.TryTake(new(ClientAddress.Of(context), ""));
}

/// <summary>A place, given back by disposing of it once.</summary>
internal readonly struct Place(PlaceCounters? counters, PlaceHolder holder) : IDisposable
{
    /// <summary>Otherwise the request is to be refused as <see cref="Rejection.Overloaded"/>.</summary>
    public bool IsTaken => counters is not null;

    public void Dispose() => counters?.Free(holder);
}

/// <summary>Counted to the address, to the portal, and to this address at this portal.</summary>
internal readonly record struct PlaceHolder(string Address, string Portal)
{
    public int Shares => Portal.Length == 0 ? 1 : 3;

    public (string? Address, string? Portal) this[int share] => share switch
    {
        0 => (Address, null),
        1 => (null, Portal),
        _ => (Address, Portal),
    };
}

/// <summary>Only who holds a place is in memory, so there are no more entries than places.</summary>
/// <param name="shares">No holder has more than this part, in the order of <see cref="PlaceHolder"/>.</param>
internal sealed class PlaceCounters(int max, params int[] shares)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string? Address, string? Portal), int> _held = [];
    private int _all;

    public Place TryTake(PlaceHolder holder)
    {
        lock (_lock)
        {
            if (_all >= max)
                return default;
            // When half are taken, the shares are of a quarter of what is left: whoever is new finds something of it.
            var shared = _all < max / 2 ? max : (max - _all) / 4;
            for (var i = 0; i < holder.Shares; i++)
            {
                if (_held.GetValueOrDefault(holder[i]) >= Math.Max(1, shared / shares[i]))
                    return default;
            }

            _all++;
            for (var i = 0; i < holder.Shares; i++)
                _held[holder[i]] = _held.GetValueOrDefault(holder[i]) + 1;
        }

        return new(this, holder);
    }

    public void Free(PlaceHolder holder)
    {
        lock (_lock)
        {
            _all--;
            for (var i = 0; i < holder.Shares; i++)
            {
                if (--_held[holder[i]] == 0)
                    _held.Remove(holder[i]);
            }
        }
    }
}
