using System.Buffers;
using System.Text.Json;
using System.Threading.RateLimiting;

namespace Bitrix24Placements.Rest;

/// <summary>What foreign servers answer: each answer up to its own limit, all large ones together up to another, counted after
/// decompression.</summary>
internal sealed class AnswerReader : IAsyncDisposable
{
    /// <summary>Up to here an answer needs no share of what large ones may take.</summary>
    public const int SmallBytes = 64 * 1024;

    public const int MaxBytes = 16 * 1024 * 1024;

    private const int LargeBytesInAll = 2 * MaxBytes;

    /// <summary>Each JSON value takes memory beside its bytes: what is made of single digits is no answer to anything.</summary>
    private const int MinBytesPerValue = 6;

    private readonly ConcurrencyLimiter _large = new(new()
    {
        PermitLimit = LargeBytesInAll,
        QueueLimit = int.MaxValue,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary><c>default</c> where it is not JSON.</summary>
    /// <exception cref="BitrixTransportException">It has at least <paramref name="maxBytes"/>.</exception>
    public async Task<(JsonElement Body, int Bytes)> ReadAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength >= maxBytes)
            throw TooLarge();
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var first = ArrayPool<byte>.Shared.Rent(SmallBytes);
        try
        {
            var length = await stream.ReadAtLeastAsync(
                first.AsMemory(0, SmallBytes), SmallBytes, throwOnEndOfStream: false, cancellationToken);
            if (length < SmallBytes)
                return (Parse(first.AsSpan(0, length), maxBytes), length);
            if (maxBytes <= SmallBytes)
                throw TooLarge();
            return await ReadLargeAsync(first.AsMemory(0, length), stream, maxBytes, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(first);
        }
    }

    private async Task<(JsonElement Body, int Bytes)> ReadLargeAsync(
        ReadOnlyMemory<byte> first, Stream stream, int maxBytes, CancellationToken cancellationToken)
    {
        // The whole share at once: answers that each wait for the rest of theirs would wait for each other.
        using var share = await _large.AcquireAsync(Math.Min(maxBytes, MaxBytes), cancellationToken);
        var bytes = new ArrayBufferWriter<byte>(4 * SmallBytes);
        bytes.Write(first.Span);
        while (await stream.ReadAsync(bytes.GetMemory(SmallBytes)[..SmallBytes], cancellationToken) is > 0 and var read)
        {
            bytes.Advance(read);
            if (bytes.WrittenCount >= maxBytes)
                throw TooLarge();
        }

        return (Parse(bytes.WrittenSpan, maxBytes), bytes.WrittenCount);
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

    public ValueTask DisposeAsync() => _large.DisposeAsync();
}
