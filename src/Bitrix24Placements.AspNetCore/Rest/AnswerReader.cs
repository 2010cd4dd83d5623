using System.Buffers;

namespace Bitrix24Placements.Rest;

/// <summary>Reads what foreign servers answer: each answer up to its own limit, and only so many large ones at a time. Bytes are counted
/// as they lie in memory, after decompression.</summary>
internal sealed class AnswerReader : IDisposable
{
    /// <summary>Up to here an answer needs no place.</summary>
    public const int SmallBytes = 64 * 1024;

    public const int MaxBytes = 16 * 1024 * 1024;

    public const int MaxLarge = 16;

    /// <summary>Above this an answer needs the place of the huge ones as well.</summary>
    private const int LargeBytes = 1024 * 1024;

    /// <summary>Each JSON value takes memory beside its bytes: what is made of single digits is no answer to anything.</summary>
    private const int MinBytesPerValue = 24;

    /// <summary>A server that dawdles holds a place no longer: others wait for it.</summary>
    private static readonly TimeSpan PlaceTimeout = TimeSpan.FromSeconds(20), LargeTimeout = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _large = new(MaxLarge);

    private readonly SemaphoreSlim _huge = new(1);

    /// <summary>The answer and its size; <c>default</c> where it is not JSON. Large ones wait for a place.</summary>
    /// <exception cref="BitrixTransportException">It has at least <paramref name="maxBytes"/>.</exception>
    public async Task<(JsonElement Body, int Bytes)> ReadAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength >= maxBytes)
            throw TooLarge();
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        return await ReadAsync(stream, default, SmallBytes, maxBytes, cancellationToken);
    }

    /// <param name="first">What has been read already.</param>
    /// <param name="capacity">With more than this a place among the larger ones is needed.</param>
    private async Task<(JsonElement Body, int Bytes)> ReadAsync(
        Stream stream, ReadOnlyMemory<byte> first, int capacity, int maxBytes, CancellationToken cancellationToken)
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
            var length = first.Length
                + await stream.ReadAtLeastAsync(rest, rest.Length, throwOnEndOfStream: false, timeout.Token);
            if (length >= maxBytes)
                throw TooLarge();
            if (length < capacity)
                return (Parse(bytes.AsSpan(0, length), maxBytes), length);
            var (places, next) = capacity == SmallBytes ? (_large, LargeBytes) : (_huge, MaxBytes);
            return await InPlaceAsync(
                places, token => ReadAsync(stream, bytes.AsMemory(0, length), next, maxBytes, token), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static async Task<T> InPlaceAsync<T>(
        SemaphoreSlim places, Func<CancellationToken, Task<T>> readAsync, CancellationToken cancellationToken)
    {
        await places.WaitAsync(cancellationToken);
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(PlaceTimeout);
            return await readAsync(timeout.Token);
        }
        finally
        {
            places.Release();
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
        _large.Dispose();
        _huge.Dispose();
    }
}
