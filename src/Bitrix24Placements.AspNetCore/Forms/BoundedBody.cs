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

    /// <summary>So much of a body that is too large is still taken from the wire: a connection that is closed upon somebody who is still
    /// sending loses the answer.</summary>
    public const int LargestDrained = 1024 * 1024;

    /// <summary>For the whole body, however little of it comes at a time.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private static readonly MinDataRate Unhurried = new(bytesPerSecond: 1, gracePeriod: 2 * Timeout);

    /// <summary>The body, or why there is none. It is valid until <paramref name="read"/> has returned.</summary>
    public static ValueTask<Checked<T>> ReadAsync<T>(HttpContext context, Func<HttpContext, ReadOnlySequence<byte>, T> read)
        where T : class
    {
        if (context.Request.ContentLength > MaxBytes)
            return new(Rejection.TooLarge);
        try
        {
            // Mostly the body has come with the headers, and nobody waits.
            var reader = context.Request.BodyReader;
            if (!reader.TryRead(out var result))
                return WaitAsync(context, reader, read);
            if (IsWhole(reader, result))
                return new(Take(context, reader, result, read));
            return WaitAsync(context, reader, read);
        }
        catch (BadHttpRequestException e)
        {
            return new(RejectionOf(e));
        }
    }

    /// <summary>Slow bodies have places of their own, and are cut when their time is over.</summary>
    private static async ValueTask<Checked<T>> WaitAsync<T>(
        HttpContext context, PipeReader reader, Func<HttpContext, ReadOnlySequence<byte>, T> read)
        where T : class
    {
        using var place = context.RequestServices.GetRequiredService<UnfinishedBodies>().TryBegin(context);
        if (place is null)
            return Cut(context, Rejection.Overloaded);
        // The server's own limit would break the connection before this has answered. Not null: the server's clock fails over that while
        // it reads.
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = Unhurried;
        await using var timeout = context.RequestServices.GetRequiredService<TimeProvider>()
            .CreateTimer(static r => ((PipeReader)r!).CancelPendingRead(), reader, Timeout, System.Threading.Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                // No token: a connection that is lost ends the reading, and asking for RequestAborted makes one for every request.
                var result = await reader.ReadAsync();
                if (IsWhole(reader, result))
                    return Take(context, reader, result, read);
                if (result.IsCanceled)
                    return Cut(context, Rejection.TooSlow);
            }
        }
        catch (BadHttpRequestException e)
        {
            return RejectionOf(e);
        }
    }

    /// <summary>Whole, or longer than anybody wants to know.</summary>
    private static bool IsWhole(PipeReader reader, ReadResult result)
    {
        if (result.IsCompleted || result.Buffer.Length > MaxBytes)
            return true;
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        return false;
    }

    private static Checked<T> Take<T>(
        HttpContext context, PipeReader reader, ReadResult result, Func<HttpContext, ReadOnlySequence<byte>, T> read)
        where T : class
    {
        Checked<T> value = result.Buffer.Length > MaxBytes ? Rejection.TooLarge : read(context, result.Buffer);
        reader.AdvanceTo(result.Buffer.End);
        return value;
    }

    private static Rejection Cut(HttpContext context, Rejection rejection)
    {
        // What is still to come is not waited for.
        context.Response.Headers.Connection = "close";
        return rejection;
    }

    private static Rejection RejectionOf(BadHttpRequestException e) =>
        e.StatusCode == StatusCodes.Status413PayloadTooLarge ? Rejection.TooLarge : Rejection.Malformed("The body could not be read.");
}
