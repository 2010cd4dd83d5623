using System.Threading.RateLimiting;

namespace Bitrix24Placements.Rest;

internal enum CallLane
{
    /// <summary>Of handlers and backends.</summary>
    App,

    Own,

    User,

    /// <summary>Whether a user is an administrator is answered whatever pages call as their users.</summary>
    Administrator,
}

/// <summary>Bitrix24's limits, kept on our side.</summary>
/// <remarks>https://apidocs.bitrix24.com/limits.html: a portal's apps share its limit, as they call from one address.</remarks>
internal sealed class PortalLimits(IOptions<Bitrix24Options> options, TimeProvider time) : IDisposable
{
    /// <summary>Of each lane of a portal: so many connections a silent one holds, and so many calls wait beside them.</summary>
    public const int MaxUnderWay = 16, MaxWaiting = 32;

    public static readonly RestError NotInTime = RestError.Unavailable("The portal's limit of calls per second left no room in time.");

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromSeconds(0.1), LongestPeriod = TimeSpan.FromDays(1);

    private readonly PartitionedRateLimiter<(string, CallLane)> _underWay =
        PartitionedRateLimiter.Create<(string, CallLane), (string, CallLane)>(caller =>
            RateLimitPartition.GetConcurrencyLimiter(caller, _ => new() { PermitLimit = MaxUnderWay, QueueLimit = MaxWaiting }));

    /// <summary>Users and administrators together have at most half of what the portal allows.</summary>
    private readonly PartitionedRateLimiter<string> _users = Pace(options.Value, share: 3 / 8.0),
        _administrators = Pace(options.Value, share: 1 / 8.0), _all = Pace(options.Value, share: 1);

    private readonly ConcurrentDictionary<(PortalId, string Method), DateTimeOffset> _blocked = new();

    /// <summary>A turn is disposed of when the answer is there.</summary>
    public async Task<RestResult<RateLimitLease>> EnterAsync(PortalId id, CallLane lane, TimeSpan left, CancellationToken cancellationToken)
    {
        if (left <= TimeSpan.Zero)
            return NotInTime;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(left < MaxWait ? left : MaxWait);
        RateLimitLease? turn = null;
        try
        {
            turn = await _underWay.TakeAsync((id.MemberId, lane), deadline.Token);
            if (!turn.IsAcquired)
                return RestError.TooMany(NextIn(id.MemberId));
            if (lane is CallLane.User or CallLane.Administrator)
                await (lane == CallLane.User ? _users : _administrators).TakeAsync(id.MemberId, deadline.Token);
            await _all.TakeAsync(id.MemberId, deadline.Token);
            return turn;
        }
        catch (Exception e)
        {
            turn?.Dispose();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                return NotInTime;
            throw;
        }
    }

    public DateTimeOffset? BlockedUntil(PortalId id, string method)
    {
        if (!_blocked.TryGetValue((id, method), out var until))
            return null;
        if (until > time.GetUtcNow())
            return until;
        _blocked.TryRemove(new((id, method), until));
        return null;
    }

    /// <summary>After <c>OPERATION_TIME_LIMIT</c>.</summary>
    public void Block(PortalId id, string method, DateTimeOffset? until)
    {
        var now = time.GetUtcNow();
        _blocked[(id, method)] = until > now && until < now + TimeSpan.FromHours(1) ? until.Value : now + TimeSpan.FromMinutes(10);
    }

    public void Dispose()
    {
        _underWay.Dispose();
        _users.Dispose();
        _administrators.Dispose();
        _all.Dispose();
    }

    /// <summary>There is room for all who are under way in the lanes.</summary>
    private static PartitionedRateLimiter<string> Pace(Bitrix24Options options, double share)
    {
        var perSecond = options.RequestsPerSecond * share;
        var burst = Math.Max(1, (int)(options.RequestBurst * share));
        var tokens = Math.Min(burst, (int)Math.Ceiling(perSecond * ShortestPeriod.TotalSeconds));
        // By its own timer: one that the partitions replenish is given anew, with the first call, what it did not need while it was full.
        var pace = new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = TimeSpan.FromSeconds(Math.Min(tokens / perSecond, LongestPeriod.TotalSeconds)),
            QueueLimit = Enum.GetValues<CallLane>().Length * MaxUnderWay,
        };
        return PartitionedRateLimiter.Create<string, string>(
            memberId => RateLimitPartition.Get(memberId, _ => new TokenBucketRateLimiter(pace)));
    }

    private TimeSpan NextIn(string memberId) => TimeSpan.FromSeconds(_all.GetStatistics(memberId) is not { } pace ? 1
        : Math.Max(1, (pace.CurrentQueuedCount + 1 - pace.CurrentAvailablePermits) / options.Value.RequestsPerSecond));
}
