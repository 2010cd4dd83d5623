using System.Threading.RateLimiting;

namespace Bitrix24Placements.Rest;

internal sealed partial class AnswerReader
{
    /// <summary>Places for answers of up to so many bytes, of one server fewer.</summary>
    private sealed class Room(int bytes, int max, int ofServer) : IDisposable
    {
        private readonly PartitionedRateLimiter<string> _own = Places(ofServer, ofEach: true), _all = Places(max, ofEach: false);

        public int Bytes => bytes;

        public async Task<IDisposable> EnterAsync(string server, CancellationToken cancellationToken)
        {
            // His own first: he is not to hold one of all while he waits for it.
            var own = await _own.TakeAsync(server, cancellationToken);
            try
            {
                return new Place(own, await _all.TakeAsync(server, cancellationToken));
            }
            catch
            {
                own.Dispose();
                throw;
            }
        }

        public bool IsWaitedFor(string server) => _all.GetStatistics(server)?.CurrentQueuedCount > 0;

        public void Dispose()
        {
            _own.Dispose();
            _all.Dispose();
        }

        private static PartitionedRateLimiter<string> Places(int max, bool ofEach) => PartitionedRateLimiter.Create<string, string>(
            server => RateLimitPartition.GetConcurrencyLimiter(
                ofEach ? server : "", _ => new() { PermitLimit = max, QueueLimit = int.MaxValue }));
    }

    private sealed class Place(RateLimitLease own, RateLimitLease ofAll) : IDisposable
    {
        public void Dispose()
        {
            ofAll.Dispose();
            own.Dispose();
        }
    }
}
