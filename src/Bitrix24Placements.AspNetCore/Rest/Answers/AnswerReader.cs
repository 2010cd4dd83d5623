using System.Buffers;

namespace Bitrix24Placements.Rest;

/// <summary>Answers of foreign servers: each up to its limit, packed and unpacked, and only so many large ones at a time, of one server
/// fewer.</summary>
internal sealed partial class AnswerReader : IDisposable
{
    /// <summary>Up to here an answer needs no place.</summary>
    public const int SmallBytes = 64 * 1024;

    /// <summary>By the memory that the process may use: an answer takes several times its size until its caller has read it.</summary>
    public static readonly int MaxBytes =
        (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 48, 2 * LargeBytes, 16 * LargeBytes);

    public const int MaxLarge = 16, MaxHuge = 4;

    /// <summary>Above this, a place among the huge ones as well.</summary>
    private const int LargeBytes = 1024 * 1024;

    /// <summary>Each JSON value takes memory beside its bytes.</summary>
    private const int MinBytesPerValue = 24;

    /// <summary>A server that dawdles holds a place no longer: others wait for it.</summary>
    private static readonly TimeSpan PlaceTimeout = TimeSpan.FromSeconds(20), LargeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A huge one keeps its place for this time, and then while it is fast enough or nobody waits for it.</summary>
    private static readonly TimeSpan OwnTime = TimeSpan.FromSeconds(2), LookForOthersEvery = TimeSpan.FromMilliseconds(100);

    private const double MinBytesPerSecond = 256 * 1024;

    private readonly Room _large = new(LargeBytes, MaxLarge, ofServer: 2);

    /// <summary>Of those that may become huge: they keep their place in one while they wait for the next.</summary>
    private readonly Room[] _growing =
        [new(LargeBytes, MaxLarge, ofServer: 2), new(4 * LargeBytes, MaxHuge, ofServer: 1), new(MaxBytes, 1, ofServer: 1)];

    private readonly SemaphoreSlim _parsing = new(1);

    /// <summary>The answer and its size; <c>default</c> where it is not JSON. Large ones wait for a place.</summary>
    /// <exception cref="AnswerTooLargeException">It has at least <paramref name="maxBytes"/>.</exception>
    public async Task<(JsonElement Body, int Bytes)> ReadAsync(
        HttpContent content, string server, int maxBytes, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength >= maxBytes)
            throw new AnswerTooLargeException();
        await using var stream = await PackedAnswer.OpenAsync(content, maxBytes, cancellationToken);
        return await ReadAsync(stream, server, default, step: 0, maxBytes, cancellationToken);
    }

    /// <param name="first">What has been read already.</param>
    /// <param name="step">Through how many rooms it has come.</param>
    private async Task<(JsonElement Body, int Bytes)> ReadAsync(
        Stream stream, string server, ReadOnlyMemory<byte> first, int step, int maxBytes, CancellationToken cancellationToken)
    {
        var capacity = step == 0 ? SmallBytes : _growing[step - 1].Bytes;
        // Pooled: arrays of this size are not compacted, and what is left of them would stay.
        var bytes = ArrayPool<byte>.Shared.Rent(capacity);
        try
        {
            first.CopyTo(bytes);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var rest = bytes.AsMemory(first.Length, capacity - first.Length);
            if (capacity == LargeBytes)
                timeout.CancelAfter(LargeTimeout);
            var length = first.Length + (capacity > LargeBytes
                ? await ReadInTurnAsync(stream, rest, _growing[step - 1], server, timeout)
                : await stream.ReadAtLeastAsync(rest, rest.Length, throwOnEndOfStream: false, timeout.Token));
            if (length >= maxBytes)
                throw new AnswerTooLargeException();
            if (length < capacity)
                return (await ParseAsync(bytes.AsMemory(0, length), maxBytes, cancellationToken), length);
            var room = maxBytes > LargeBytes ? _growing[step] : _large;
            // His own place first: he is not to hold one of all while he waits for it.
            using var own = await room.Own.TakeAsync(server, cancellationToken);
            using var place = await room.All.TakeAsync(server, cancellationToken);
            // Afresh: what was waited for a place does not count.
            using var inPlace = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            inPlace.CancelAfter(PlaceTimeout);
            return await ReadAsync(stream, server, bytes.AsMemory(0, length), step + 1, maxBytes, inPlace.Token);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static async Task<int> ReadInTurnAsync(
        Stream stream, Memory<byte> rest, Room room, string server, CancellationTokenSource timeout)
    {
        var (started, length) = (TimeProvider.System.GetTimestamp(), 0);
        while (length < rest.Length)
        {
            var reading = stream.ReadAsync(rest[length..], timeout.Token).AsTask();
            do
            {
                var earned = OwnTime + TimeSpan.FromSeconds(length / MinBytesPerSecond);
                if (TimeProvider.System.GetElapsedTime(started) > earned && room.IsWaitedFor(server))
                    await timeout.CancelAsync();
            }
            while (await Task.WhenAny(reading, Task.Delay(LookForOthersEvery)) != reading);
            if (await reading is not (> 0 and var read))
                break;
            length += read;
        }

        return length;
    }

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
            return HasMoreValues(bytes, maxBytes / MinBytesPerValue) ? throw new AnswerTooLargeException() : JsonElement.Parse(bytes);
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

    public void Dispose()
    {
        foreach (var room in _growing.Append(_large))
            room.Dispose();
        _parsing.Dispose();
    }
}

internal sealed class AnswerTooLargeException() : Exception("The answer is too large.");
