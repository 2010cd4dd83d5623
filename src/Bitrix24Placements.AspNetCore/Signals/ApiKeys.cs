using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Signals;

/// <summary>Backends' keys, known by their hashes and compared in constant time, each with its own limit.</summary>
internal sealed class ApiKeys : IAsyncDisposable
{
    private readonly byte[][] _hashes;
    private readonly RateLimiter[] _limits;

    public ApiKeys(IOptions<SignalsOptions> options)
    {
        _hashes = [.. options.Value.ApiKeys.Select(static k => SHA256.HashData(Encoding.UTF8.GetBytes(k)))];
        _limits = [.. _hashes.Select(_ => new FixedWindowRateLimiter(new()
        {
            PermitLimit = options.Value.PerMinute,
            Window = TimeSpan.FromMinutes(1),
            QueueLimit = 0,
        }))];
    }

    /// <summary>Which key it is; -1 for none. Every key is compared, whichever fits.</summary>
    public int Find(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        var found = -1;
        for (var i = 0; i < _hashes.Length; i++)
        {
            if (CryptographicOperations.FixedTimeEquals(_hashes[i], hash))
                found = i;
        }

        return found;
    }

    /// <summary>Null: the request may pass. Otherwise how long its key has to wait.</summary>
    public TimeSpan? TakeRequest(int key)
    {
        using var lease = _limits[key].AttemptAcquire();
        if (lease.IsAcquired)
            return null;
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var after) && after > TimeSpan.Zero ? after : TimeSpan.FromSeconds(60);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var limit in _limits)
            await limit.DisposeAsync();
    }
}
