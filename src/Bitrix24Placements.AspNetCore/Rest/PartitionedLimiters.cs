using System.Threading.RateLimiting;

namespace Bitrix24Placements.Rest;

/// <summary>The framework disposes of partitions that have been idle for ten seconds, now and then between somebody's look-up and his use
/// of one: another look-up makes it anew.</summary>
/// <remarks>https://github.com/dotnet/runtime/issues/99865</remarks>
internal static class PartitionedLimiters
{
    private const int MaxTries = 5;

    public static async ValueTask<RateLimitLease> TakeAsync<T>(
        this PartitionedRateLimiter<T> limiter, T holder, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await limiter.AcquireAsync(holder, 1, cancellationToken);
            }
            catch (ObjectDisposedException) when (tries < MaxTries)
            {
                // Afresh.
            }
        }
    }

    /// <param name="permits">0: whether there is one.</param>
    public static RateLimitLease Take<T>(this PartitionedRateLimiter<T> limiter, T holder, int permits = 1)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return limiter.AttemptAcquire(holder, permits);
            }
            catch (ObjectDisposedException) when (tries < MaxTries)
            {
                // Afresh.
            }
        }
    }
}
