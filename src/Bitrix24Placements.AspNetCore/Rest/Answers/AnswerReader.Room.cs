using System.Threading.RateLimiting;

namespace Bitrix24Placements.Rest;

internal sealed partial class AnswerReader
{
    /// <summary>Places for answers of up to so many bytes, of one server fewer.</summary>
    private sealed class Room(int bytes, int max, int ofServer) : IDisposable
    {
        public int Bytes => bytes;

        public PartitionedRateLimiter<string> Own { get; } = Places(ofServer, ofEach: true);

        public PartitionedRateLimiter<string> All { get; } = Places(max, ofEach: false);

        public bool IsWaitedFor(string server) => All.GetStatistics(server)?.CurrentQueuedCount > 0;

        public void Dispose()
        {
            Own.Dispose();
            All.Dispose();
        }

        private static PartitionedRateLimiter<string> Places(int max, bool ofEach) => PartitionedRateLimiter.Create<string, string>(
            server => RateLimitPartition.GetConcurrencyLimiter(
                ofEach ? server : "", _ => new() { PermitLimit = max, QueueLimit = int.MaxValue }));
    }
}
