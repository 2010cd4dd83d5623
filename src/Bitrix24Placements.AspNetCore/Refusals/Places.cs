using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http.Features;

namespace Bitrix24Placements.Refusals;

/// <summary>503 at once is better than anybody waiting for five seconds. A place is taken when the body is there.</summary>
internal sealed class Places(IOptions<LimitsOptions> options, MemoryWatch memory)
{
    /// <summary>Of up to 16 KiB; larger ones count for as much as they are.</summary>
    public const int MaxUnfinishedBodies = 1024;

    public const int MaxUnfinishedBodiesPerAddress = MaxUnfinishedBodies / UnfinishedShare;

    private const int UnfinishedShare = 16;

    /// <summary>Fewer than any kind has by default: who reads nothing takes all places of none.</summary>
    private const int MaxUnreadAnswers = 256;

    /// <summary>Twice as much takes two.</summary>
    private const int BytesOfPlace = 8 * 1024, BytesOfUnreadAnswer = 64 * 1024;

    private const int UnknownBody = 64 * 1024, MaxWeight = 32;

    /// <summary>Of what is known by its application_token: as many places more, each of as many bytes less.</summary>
    private const int PlacesOfEvents = 4;

    private const int AddressShare = 4, PortalShare = 8, PairShare = 16, KeyShare = 6, KeysPortalShare = 32, EventsPortalShare = 16;

    private readonly PlaceCounters[] _kinds = [.. Enum.GetValues<RequestKind>().Select(kind => kind switch
    {
        RequestKind.Worker => new PlaceCounters(options.Value.ConcurrentWorkerLoads, AddressShare, PortalShare, PairShare),
        // Known ones, which are sent once: Bitrix24 tells of all its portals from a few addresses, and of one portal in bursts.
        _ when IsKnownEvent(kind) =>
            new PlaceCounters(options.Value.ConcurrentRequests * PlacesOfEvents, 1, EventsPortalShare, EventsPortalShare),
        // A key has room for half a dozen silent portals, and three that use all of it leave the others half.
        RequestKind.Signal => new PlaceCounters(options.Value.ConcurrentRequests * 4, KeyShare, KeysPortalShare, KeysPortalShare),
        _ => new PlaceCounters(options.Value.ConcurrentRequests, AddressShare, PortalShare, PairShare),
    })];

    private readonly PlaceCounters _unfinishedBodies = new(MaxUnfinishedBodies, UnfinishedShare);

    private readonly PlaceCounters _unreadAnswers = new(MaxUnreadAnswers, AddressShare);

    /// <param name="portal">As claimed; empty where there is none.</param>
    /// <param name="holder">Who is counted instead of the address.</param>
    public Place TryTake(RequestKind kind, HttpContext context, string portal, string? holder = null)
    {
        var place = _kinds[(int)kind].TryTake(
            new(holder ?? ClientAddress.Of(context), IsAClaimAlone(kind) ? "" : portal),
            WeightOf(BytesOf(context.Request), IsKnownEvent(kind) ? BytesOfPlace / PlacesOfEvents : BytesOfPlace), IsShort(kind));
        if (place.IsTaken && !TellsOfItsWork(kind) && context.Features.Get<IHttpResponseBodyFeature>() is AnswerWriter answer)
            answer.Place = place;
        return place;
    }

    /// <summary>For a body that did not come with its head.</summary>
    public Place TryTakeForUnfinishedBody(HttpContext context) =>
        _unfinishedBodies.TryTake(new(ClientAddress.Of(context), ""), WeightOf(BytesOf(context.Request)), memory.IsShort);

    public Place TryTakeForUnreadAnswer(HttpContext context, long bytes) => _unreadAnswers.TryTake(
        new(ClientAddress.Of(context), ""), WeightOf(BytesOf(context.Request) + bytes, BytesOfUnreadAnswer), memory.IsShort);

    /// <summary>Workers wait for nothing.</summary>
    private bool IsShort(RequestKind kind) => kind != RequestKind.Worker && memory.IsShort;

    /// <summary>The work goes on where nobody reads of it.</summary>
    private static bool TellsOfItsWork(RequestKind kind) => kind is RequestKind.InstallationRun or RequestKind.Doctor;

    /// <summary>Who takes places in a portal's name without having shown anything would keep its own people out of them.</summary>
    private static bool IsAClaimAlone(RequestKind kind) =>
        kind is RequestKind.UnconfirmedPerson or RequestKind.UnconfirmedEvent or RequestKind.Installation;

    private static bool IsKnownEvent(RequestKind kind) => kind is RequestKind.Event or RequestKind.Uninstallation;

    /// <summary>What waits stays in memory.</summary>
    private static long BytesOf(HttpRequest request)
    {
        var body = request.ContentLength
            ?? (request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true } ? UnknownBody : 0);
        return body + RequestHead.BytesOf(request);
    }

    private static int WeightOf(long bytes, int bytesOfPlace = BytesOfPlace) => (int)Math.Clamp(bytes / bytesOfPlace, 1, MaxWeight);
}

/// <summary>A place, given back by disposing of it, earlier or later.</summary>
internal sealed class Place(PlaceCounters? counters, PlaceHolder holder, int weight) : IDisposable
{
    public static readonly Place None = new(null, default, 0);

    private PlaceCounters? _counters = counters;

    /// <summary>Otherwise the request is to be refused as <see cref="Rejection.Overloaded"/>.</summary>
    public bool IsTaken { get; } = counters is not null;

    public void Dispose() => Interlocked.Exchange(ref _counters, null)?.Free(holder, weight);
}

/// <summary>Counted to the address, to the portal, and to this address at this portal.</summary>
internal readonly record struct PlaceHolder(string Address, string Portal)
{
    public int Shares => Portal.Length == 0 ? 1 : 3;

    public PlaceHolder this[int share] => share switch
    {
        0 => this with { Portal = "" },
        1 => this with { Address = "" },
        _ => this,
    };
}

/// <summary>Only who holds a place is in memory, so there are no more entries than places.</summary>
/// <param name="shares">No holder has more than this part, in the order of <see cref="PlaceHolder"/>.</param>
internal sealed class PlaceCounters(int max, params int[] shares)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<PlaceHolder, int> _held = [];
    private int _all;

    /// <param name="isShort">Of memory: then nobody has more than one small thing.</param>
    public Place TryTake(PlaceHolder holder, int weight, bool isShort)
    {
        weight = Math.Min(weight, max);
        lock (_lock)
        {
            if (_all + weight > max)
                return Place.None;
            // When half are taken, the shares are of a quarter of what is left, and nobody's first is a large one: whoever is new finds
            // something of it.
            var (shared, first) = isShort ? (0, 1) : _all >= max / 2 ? ((max - _all) / 4, 1) : (max, weight);
            for (var i = 0; i < holder.Shares; i++)
            {
                ref var held = ref CollectionsMarshal.GetValueRefOrAddDefault(_held, holder[i], out _);
                held += weight;
                if (held <= Math.Max(first, shared / shares[i]))
                    continue;
                GiveBack(holder, i + 1, weight);
                return Place.None;
            }

            _all += weight;
        }

        return new(this, holder, weight);
    }

    public void Free(PlaceHolder holder, int weight)
    {
        lock (_lock)
        {
            _all -= weight;
            GiveBack(holder, holder.Shares, weight);
        }
    }

    private void GiveBack(PlaceHolder holder, int shares, int weight)
    {
        for (var i = 0; i < shares; i++)
        {
            if (_held.Remove(holder[i], out var held) && held > weight)
                _held.Add(holder[i], held - weight);
        }
    }
}
