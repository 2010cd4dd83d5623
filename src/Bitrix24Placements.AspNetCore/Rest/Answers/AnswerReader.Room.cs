using System.Threading.RateLimiting;

namespace Bitrix24Placements.Rest;

internal sealed partial class AnswerReader
{
    /// <summary>Places for answers of up to so many bytes, of one server fewer.</summary>
    private sealed class Room(int bytes, int max, int ofServer) : IDisposable
    {
        private readonly PartitionedRateLimiter<string> _own = Places(ofServer, ofEach: true), _all = Places(max, ofEach: false);

        public int Bytes => bytes;

        public ValueTask<RateLimitLease> TakeOwnAsync(string server, CancellationToken cancellationToken) =>
            _own.TakeAsync(server, cancellationToken);

        public ValueTask<RateLimitLease> TakeAsync(string server, CancellationToken cancellationToken) =>
            _all.TakeAsync(server, cancellationToken);

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
}
