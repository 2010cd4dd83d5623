using System.Buffers;
using System.Threading.RateLimiting;

namespace Bitrix24Placements.Rest;

/// <summary>Answers of foreign servers: each up to its limit, counted after decompression, and only so many large ones at a time, of one
/// server fewer.</summary>
internal sealed class AnswerReader : IDisposable
{
    /// <summary>Up to here an answer needs no place.</summary>
    public const int SmallBytes = 64 * 1024;

    public const int MaxBytes = 16 * 1024 * 1024;

    public const int MaxLarge = 16;

    /// <summary>Above this, the place of the huge ones as well.</summary>
    private const int LargeBytes = 1024 * 1024;

    /// <summary>Each JSON value takes memory beside its bytes: what is made of single digits is no answer to anything.</summary>
    private const int MinBytesPerValue = 24;

    private const int MaxLargeOfServer = 2;

    /// <summary>A server that dawdles holds a place no longer: others wait for it.</summary>
    private static readonly TimeSpan PlaceTimeout = TimeSpan.FromSeconds(20), LargeTimeout = TimeSpan.FromSeconds(5);

    private readonly PartitionedRateLimiter<string>[] _large = [Places(MaxLargeOfServer, ofEach: true), Places(MaxLarge, ofEach: false)];

    /// <summary>Of those that may become huge: they keep their place while they wait for that of the huge ones.</summary>
    private readonly PartitionedRateLimiter<string>[] _growing = [Places(MaxLargeOfServer, ofEach: true), Places(MaxLarge, ofEach: false)];

    /// <summary>For longer, whoever is the only huge one keeps his place only while nobody waits for it.</summary>
    private static readonly TimeSpan OwnTime = TimeSpan.FromSeconds(2), LookForOthersEvery = TimeSpan.FromMilliseconds(100);

    private readonly PartitionedRateLimiter<string>[] _huge = [Places(1, ofEach: true), Places(1, ofEach: false)];

    private readonly SemaphoreSlim _parsing = new(1);

    /// <summary>The answer and its size; <c>default</c> where it is not JSON. Large ones wait for a place.</summary>
    /// <exception cref="BitrixTransportException">It has at least <paramref name="maxBytes"/>.</exception>
    public async Task<(JsonElement Body, int Bytes)> ReadAsync(
        HttpContent content, string server, int maxBytes, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength >= maxBytes)
            throw TooLarge();
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        return await ReadAsync(stream, server, default, SmallBytes, maxBytes, cancellationToken);
    }

    /// <param name="first">What has been read already.</param>
    /// <param name="capacity">With more than this a place among the larger ones is needed.</param>
    private async Task<(JsonElement Body, int Bytes)> ReadAsync(
        Stream stream, string server, ReadOnlyMemory<byte> first, int capacity, int maxBytes, CancellationToken cancellationToken)
    {
        // Pooled: arrays of this size are not compacted, and what is left of them would stay.
        var bytes = ArrayPool<byte>.Shared.Rent(capacity);
        try
        {
            first.CopyTo(bytes);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (capacity == LargeBytes)
                timeout.CancelAfter(LargeTimeout);
            var rest = bytes.AsMemory(first.Length, capacity - first.Length);
            var reading = stream.ReadAtLeastAsync(rest, rest.Length, throwOnEndOfStream: false, timeout.Token).AsTask();
            if (capacity > LargeBytes)
                await GiveWayAsync(server, reading, timeout);
            var length = first.Length + await reading;
            if (length >= maxBytes)
                throw TooLarge();
            if (length < capacity)
                return (await ParseAsync(bytes.AsMemory(0, length), maxBytes, cancellationToken), length);
            var (places, next) = capacity > SmallBytes ? (_huge, MaxBytes) : (maxBytes > LargeBytes ? _growing : _large, LargeBytes);
            // His own place first: he is not to hold one of all while he waits for it.
            using var own = await places[0].TakeAsync(server, cancellationToken);
            using var place = await places[1].TakeAsync(server, cancellationToken);
            // Afresh: what was waited for a place does not count.
            using var inPlace = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            inPlace.CancelAfter(PlaceTimeout);
            return await ReadAsync(stream, server, bytes.AsMemory(0, length), next, maxBytes, inPlace.Token);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private async Task GiveWayAsync(string server, Task reading, CancellationTokenSource timeout)
    {
        for (var pause = OwnTime; await Task.WhenAny(reading, Task.Delay(pause)) != reading; pause = LookForOthersEvery)
        {
            if (_huge[1].GetStatistics(server)?.CurrentQueuedCount > 0)
                await timeout.CancelAsync();
        }
    }

    private static PartitionedRateLimiter<string> Places(int max, bool ofEach) => PartitionedRateLimiter.Create<string, string>(
        server => RateLimitPartition.GetConcurrencyLimiter(
            ofEach ? server : "", _ => new() { PermitLimit = max, QueueLimit = int.MaxValue }));

    /// <summary>Large ones one after the other: several at once would take as long, and several times the memory.</summary>
    private async ValueTask<JsonElement> ParseAsync(ReadOnlyMemory<byte> bytes, int maxBytes, CancellationToken cancellationToken)
    {
        if (bytes.Length < SmallBytes)
            return Parse(bytes.Span, maxBytes);
        await _parsing.WaitAsync(cancellationToken);
        try
        {
            return Parse(bytes.Span, maxBytes);
        }
        finally
        {
            _parsing.Release();
        }
    }

    private static JsonElement Parse(ReadOnlySpan<byte> bytes, int maxBytes)
    {
        try
        {
            return HasMoreValues(bytes, maxBytes / MinBytesPerValue) ? throw TooLarge() : JsonElement.Parse(bytes);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static bool HasMoreValues(ReadOnlySpan<byte> json, int max)
    {
        var reader = new Utf8JsonReader(json);
        for (var count = 0; reader.Read(); count++)
        {
            if (count >= max)
                return true;
        }

        return false;
    }

    private static BitrixTransportException TooLarge() => new("the answer is too large", sent: true);

    public void Dispose()
    {
        foreach (var places in _large.Concat(_growing).Concat(_huge))
            places.Dispose();
        _parsing.Dispose();
    }
}
