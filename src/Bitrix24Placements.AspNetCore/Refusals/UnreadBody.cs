using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Bitrix24Placements.Refusals;

/// <summary>What is left of a refused request's body. A connection that is closed upon its sender loses the answer, so it is read on, but
/// not for the server's own 5 s: thousands of slow senders would be as many connections in memory.</summary>
internal static class UnreadBody
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(200), TimeoutOfLargeOnes = TimeSpan.FromSeconds(1);

    public static async Task DrainAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true })
            return;
        var limit = context.Response.StatusCode == StatusCodes.Status413PayloadTooLarge ? TimeoutOfLargeOnes : Timeout;
        try
        {
            await context.Response.CompleteAsync();
            var reader = context.Request.BodyReader;
            // No token: there may be thousands, and each would throw.
            await using var timeout = context.RequestServices.GetRequiredService<TimeProvider>().CreateTimer(
                r => ((PipeReader)r!).CancelPendingRead(), reader, limit, System.Threading.Timeout.InfiniteTimeSpan);
            ReadResult result;
            do
            {
                result = await reader.ReadAsync();
                reader.AdvanceTo(result.Buffer.End);
            }
            while (!result.IsCompleted && !result.IsCanceled);
            if (result.IsCanceled)
                context.Abort();
        }
        catch (ConnectionResetException)
        {
            context.Abort();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException
            && !(e is BadHttpRequestException && context.RequestAborted.IsCancellationRequested))
        {
            // A body that is none, nobody there, or an endpoint that has done with it: the server does what is left, after the answer.
        }
    }
}
