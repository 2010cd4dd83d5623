using System.Buffers;
using System.IO.Pipelines;
using Bitrix24Placements.Refusals;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using MinDataRate = Microsoft.AspNetCore.Server.Kestrel.Core.MinDataRate;

namespace Bitrix24Placements.Forms;

/// <summary>Reads a body of at most 64 KiB, whole, in at most five seconds.</summary>
internal static class BoundedBody
{
    public const int MaxBytes = 64 * 1024;

    /// <summary>Of a body that is too large, too, so much is read: a connection closed upon its sender loses the answer.</summary>
    public const int LargestDrained = 1024 * 1024;

    /// <summary>However little comes at a time.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private static readonly MinDataRate Unhurried = new(bytesPerSecond: 1, gracePeriod: 2 * Timeout);

    public static async ValueTask<Checked<T>> ReadAsync<T>(HttpContext context, Func<HttpContext, ReadOnlySequence<byte>, T> read)
        where T : class
    {
        if (context.Request.ContentLength > MaxBytes)
            return Rejection.TooLarge;
        var reader = context.Request.BodyReader;
        try
        {
            // Mostly the body has come with the headers, and nobody waits.
            if (!reader.TryRead(out var result) || !IsWhole(reader, result))
            {
                (var cut, result) = await WaitAsync(context, reader);
                if (cut is not null)
                {
                    // What is still to come is not waited for.
                    context.Response.Headers.Connection = "close";
                    return cut;
                }
            }

            Checked<T> value = result.Buffer.Length > MaxBytes ? Rejection.TooLarge : read(context, result.Buffer);
            reader.AdvanceTo(result.Buffer.End);
            return value;
        }
        catch (IOException e) when (
            e is BadHttpRequestException or { InnerException: OverflowException } && !context.RequestAborted.IsCancellationRequested)
        {
            // The server takes the length of a chunk for a number of 32 bits.
            return e is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } ? Rejection.TooLarge
                : Rejection.Malformed("The body could not be read.");
        }
    }

    /// <summary>Slow bodies have places of their own.</summary>
    private static async Task<(Rejection? Cut, ReadResult Result)> WaitAsync(HttpContext context, PipeReader reader)
    {
        using var place = context.RequestServices.GetRequiredService<Places>().TryTakeForUnfinishedBody(context);
        if (!place.IsTaken)
            return (Rejection.Overloaded, default);
        // The server's own limit would break the connection before this has answered. Not null: the server's clock fails over that while
        // it reads.
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = Unhurried;
        await using var timeout = context.RequestServices.GetRequiredService<TimeProvider>()
            .CreateTimer(r => ((PipeReader)r!).CancelPendingRead(), reader, Timeout, System.Threading.Timeout.InfiniteTimeSpan);
        while (true)
        {
            // No token: a connection that is lost ends the reading, and asking for RequestAborted makes one for every request.
            var result = await reader.ReadAsync();
            if (IsWhole(reader, result))
                return (null, result);
            if (result.IsCanceled)
                return (Rejection.TooSlow, default);
        }
    }

    private static bool IsWhole(PipeReader reader, ReadResult result)
    {
        if (result.IsCompleted || result.Buffer.Length > MaxBytes)
            return true;
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        return false;
    }
}
