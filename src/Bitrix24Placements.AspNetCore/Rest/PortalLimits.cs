using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Rest;

/// <summary>Bitrix24's limits, kept on our side: so many calls a second and portal, and methods that a portal has blocked for a while.</summary>
/// <remarks>https://apidocs.bitrix24.com/limits.html</remarks>
internal sealed class PortalLimits : IAsyncDisposable
{
    /// <summary>Longer than this no call waits for its turn.</summary>
    public static readonly TimeSpan QueueTime = TimeSpan.FromSeconds(60);

    private const int QueueLength = 10_000;

    private readonly Lazy<PartitionedRateLimiter<PortalId>> _calls;
    private readonly ConcurrentDictionary<(PortalId Id, string Method), DateTimeOffset> _blocked = new();
    private readonly TimeProvider _time;

    public PortalLimits(IOptions<Bitrix24Options> options, TimeProvider time)
    {
        _time = time;
        var (perSecond, burst) = (options.Value.RequestsPerSecond, options.Value.RequestBurst);
        _calls = new(() => PartitionedRateLimiter.Create<PortalId, PortalId>(id => RateLimitPartition.GetTokenBucketLimiter(id, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1 / perSecond),
            QueueLimit = QueueLength,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        })));
    }

    /// <summary>Waits for the portal's turn; false where it does not come in time.</summary>
    /// <param name="left">What the caller's own deadline leaves.</param>
    public async Task<bool> WaitAsync(PortalId id, TimeSpan left, CancellationToken cancellationToken)
    {
        if (left <= TimeSpan.Zero)
            return false;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(left < QueueTime ? left : QueueTime);
        try
        {
            using var lease = await _calls.Value.AcquireAsync(id, 1, patience.Token);
            return lease.IsAcquired;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Until when a method may not be called on a portal; null where it may.</summary>
    public DateTimeOffset? BlockedUntil(PortalId id, string method)
    {
        if (!_blocked.TryGetValue((id, method), out var until))
            return null;
        if (until > _time.GetUtcNow())
            return until;
        _blocked.TryRemove(new((id, method), until));
        return null;
    }

    /// <summary>After <c>OPERATION_TIME_LIMIT</c>.</summary>
    public void Block(PortalId id, string method, DateTimeOffset? until)
    {
        var now = _time.GetUtcNow();
        _blocked[(id, method)] = until is { } told && told > now && told < now + TimeSpan.FromHours(1) ? told : now + TimeSpan.FromMinutes(10);
    }

    public ValueTask DisposeAsync() => _calls.IsValueCreated ? _calls.Value.DisposeAsync() : default;
}
