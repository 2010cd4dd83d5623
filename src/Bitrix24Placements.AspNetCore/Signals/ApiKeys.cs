using System.Threading.RateLimiting;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Signals;

/// <summary>Who asks <c>/api</c>, and what he may ask about; null: all.</summary>
internal sealed record ApiCaller(string Name, IReadOnlySet<string>? Portals = null, IReadOnlySet<string>? Apps = null)
{
    public bool MaySee(PortalId id) => Portals?.Contains(id.MemberId) != false && Apps?.Contains(id.App) != false;
}

/// <summary>Known by their hashes; each key, and each page session, has its own limit.</summary>
internal sealed class ApiKeys(IOptions<SignalsOptions> options) : IAsyncDisposable
{
    private readonly (byte[] Hash, ApiCaller Caller)[] _keys =
        [.. options.Value.Keys.Select(k => (HashOf(k.Key), k.Caller))];

    private readonly PartitionedRateLimiter<string> _limits = PartitionedRateLimiter.Create<string, string>(
        name => RateLimitPartition.GetFixedWindowLimiter(name, _ => new()
        {
            PermitLimit = options.Value.PerMinute,
            Window = TimeSpan.FromMinutes(1),
            QueueLimit = 0,
        }));

    /// <summary>In constant time: all keys are compared.</summary>
    public ApiCaller? Find(string token)
    {
        var hash = HashOf(token);
        ApiCaller? found = null;
        foreach (var (known, caller) in _keys)
            found = CryptographicOperations.FixedTimeEquals(known, hash) ? caller : found;
        return found;
    }

    /// <summary>Null: granted.</summary>
    public TimeSpan? TakeRequest(ApiCaller caller)
    {
        using var lease = _limits.Take(caller.Name);
        return lease.IsAcquired ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var after) && after > TimeSpan.Zero ? after : TimeSpan.FromSeconds(60);
    }

    private static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    public ValueTask DisposeAsync() => _limits.DisposeAsync();
}
