using System.Threading.RateLimiting;

namespace Bitrix24Placements.Signals;

/// <summary>Who asks <c>/api</c>, and what he may ask about.</summary>
/// <param name="Portals">Null: all.</param>
/// <param name="Apps">Null: all.</param>
internal sealed record ApiCaller(string Name, IReadOnlySet<string>? Portals = null, IReadOnlySet<string>? Apps = null)
{
    public bool MaySee(PortalId id) => Portals?.Contains(id.MemberId) != false && Apps?.Contains(id.App) != false;
}

/// <summary>Known by their hashes and compared in constant time; each, and each page session, with its own limit.</summary>
internal sealed class ApiKeys(IOptions<SignalsOptions> options) : IAsyncDisposable
{
    private readonly (byte[] Hash, ApiCaller Caller)[] _keys =
        [.. options.Value.Keys.Select(k => (SHA256.HashData(Encoding.UTF8.GetBytes(k.Key)), k.Caller))];

    private readonly PartitionedRateLimiter<string> _limits = PartitionedRateLimiter.Create<string, string>(
        name => RateLimitPartition.GetFixedWindowLimiter(name, _ => new()
        {
            PermitLimit = options.Value.PerMinute,
            Window = TimeSpan.FromMinutes(1),
            QueueLimit = 0,
        }));

    /// <summary>Every key is compared, whichever fits.</summary>
    public ApiCaller? Find(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        ApiCaller? found = null;
        foreach (var key in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(key.Hash, hash))
                found = key.Caller;
        }

        return found;
    }

    /// <summary>Null: it may pass.</summary>
    public TimeSpan? TakeRequest(ApiCaller caller)
    {
        using var lease = _limits.AttemptAcquire(caller.Name);
        if (lease.IsAcquired)
            return null;
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var after) && after > TimeSpan.Zero ? after : TimeSpan.FromSeconds(60);
    }

    public ValueTask DisposeAsync() => _limits.DisposeAsync();
}
