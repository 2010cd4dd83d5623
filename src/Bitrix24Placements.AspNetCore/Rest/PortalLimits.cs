namespace Bitrix24Placements.Rest;

/// <summary>Whose calls wait apart from the others'.</summary>
internal enum CallLane
{
    /// <summary>Of handlers and backends.</summary>
    App,

    Own,

    User,
}

/// <summary>Bitrix24's limits, kept on our side.</summary>
/// <remarks>https://apidocs.bitrix24.com/limits.html: a portal's apps share its limit, as they call from one address.</remarks>
internal sealed class PortalLimits(IOptions<Bitrix24Options> options, TimeProvider time)
{
    private const int SweepAbove = 1000;

    private readonly ConcurrentDictionary<string, PortalQueue> _portals = new();
    private readonly ConcurrentDictionary<(PortalId Id, string Method), DateTimeOffset> _blocked = new();

    /// <summary>A turn is disposed of when the answer is there: a silent portal has only so many calls under way.</summary>
    public async Task<RestResult<PortalTurn>> EnterAsync(PortalId id, CallLane lane, TimeSpan left, CancellationToken cancellationToken)
    {
        if (_portals.Count > SweepAbove)
            ForgetIdle();
        var queue = _portals.GetOrAdd(
            id.MemberId, static (_, args) => new(args.RequestsPerSecond, args.RequestBurst, args.Time),
            (options.Value.RequestsPerSecond, options.Value.RequestBurst, Time: time));
        return await queue.EnterAsync(lane, left, cancellationToken);
    }

    /// <summary>Null where the method may be called.</summary>
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
        _blocked[(id, method)] = until is { } told && told > now && told < now + TimeSpan.FromHours(1)
            ? told : now + TimeSpan.FromMinutes(10);
    }

    private void ForgetIdle()
    {
        foreach (var (memberId, queue) in _portals)
        {
            if (queue.IsIdle)
                _portals.TryRemove(new(memberId, queue));
        }
    }
}
