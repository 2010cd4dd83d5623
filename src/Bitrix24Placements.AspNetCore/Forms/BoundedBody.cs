using System.Buffers;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Forms;

/// <summary>Reads a body of at most 64 KiB, whole.</summary>
internal static class BoundedBody
{
    public const int Largest = 64 * 1024;

    /// <summary>So much of a body that is too large is still taken from the wire: a connection that is closed upon somebody who is still sending loses the answer.</summary>
    public const int LargestDrained = 1024 * 1024;

    /// <summary>The body, or why there is none. It is valid until <paramref name="read"/> has returned.</summary>
    public static async ValueTask<(T? Value, Rejection? Rejection)> ReadAsync<T>(HttpContext context, Func<HttpContext, ReadOnlySequence<byte>, T> read)
        where T : class
    {
        if (context.Request.ContentLength > Largest)
            return (null, Rejection.TooLarge);
        var reader = context.Request.BodyReader;
        try
        {
            while (true)
            {
                // No token: a connection that is lost ends the reading, and asking for RequestAborted makes one for every request.
                var result = await reader.ReadAsync();
                if (result.Buffer.Length > Largest)
                {
                    reader.AdvanceTo(result.Buffer.End);
                    return (null, Rejection.TooLarge);
                }

                if (result.IsCompleted)
                {
                    var value = read(context, result.Buffer);
                    reader.AdvanceTo(result.Buffer.End);
                    return (value, null);
                }

                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (BadHttpRequestException e)
        {
            return (null, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? Rejection.TooLarge : Rejection.Malformed("The body could not be read."));
        }
    }
}
