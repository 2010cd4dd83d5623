using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Bitrix24Placements.Refusals;

internal enum ErrorScope
{
    /// <summary>In whosever app they stand.</summary>
    OwnEndpoints,

    /// <summary>Of an app that is nothing else.</summary>
    Everything,
}

/// <summary>The headers that every answer has, and what no endpoint has answered.</summary>
internal sealed partial class ErrorHandling(
    RequestDelegate next, ErrorScope scope, RejectionWriter rejections, Places places, TimeProvider time, ILogger<ErrorHandling> logger)
{
    /// <summary>What an endpoint may have said of its own body.</summary>
    private static readonly string[] OfTheBody =
    [
        HeaderNames.ContentEncoding, HeaderNames.ContentLength, HeaderNames.ContentSecurityPolicy,
        HeaderNames.ContentType, HeaderNames.ETag, HeaderNames.LastModified,
    ];

    private static readonly Rejection InternalError = new(500, "internalError");

    private long _toldOfStoreAt;

    public Task InvokeAsync(HttpContext context) =>
        scope == ErrorScope.Everything || context.GetEndpoint()?.Metadata.GetMetadata<OwnEndpoint>() is not null
            ? HandleAsync(context)
            : next(context);

    private async Task HandleAsync(HttpContext context)
    {
        var response = context.Response;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        if (context.Features.Get<IHttpResponseBodyFeature>() is { } answer and not AnswerWriter)
            context.Features.Set<IHttpResponseBodyFeature>(new AnswerWriter(context, answer, places, time));
        try
        {
            await next(context);
            var isEmpty = !response.HasStarted && response.ContentLength is null && response.ContentType is null;
            if (isEmpty && Bare(response.StatusCode) is { } bare)
                await rejections.WriteAsync(context, bare);
        }
        catch (BadHttpRequestException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Gone in mid-body: the server would log that it cannot read on, unless it is told.
            throw;
        }
        catch (Exception e) when (e is ConnectionResetException
            || (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException))
        {
            // Nobody is there to be answered, nor is there a body to be read on.
            context.Abort();
        }
        catch (Exception e)
        {
            await AnswerAsync(context, e);
        }
    }

    private async Task AnswerAsync(HttpContext context, Exception exception)
    {
        var rejection = exception switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => Rejection.TooLarge,
            BadHttpRequestException bad => new(bad.StatusCode, "malformedRequest", "The request could not be read."),
            DbException or TimeoutException => Rejection.StoreUnavailable,
            OperationCanceledException => Rejection.Overloaded,
            _ => InternalError,
        };
        if (rejection == Rejection.StoreUnavailable)
            TellOfStore(exception);
        else if (rejection == InternalError)
            Log.Unexpected(logger, exception);
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        foreach (var name in OfTheBody)
            context.Response.Headers.Remove(name);
        await rejections.WriteAsync(context, rejection);
    }

    // Thousands of requests a second may find it away.
    private void TellOfStore(Exception exception)
    {
        var (last, now) = (Volatile.Read(ref _toldOfStoreAt), Environment.TickCount64);
        if (now - last >= 1000 && Interlocked.CompareExchange(ref _toldOfStoreAt, now, last) == last)
            Log.StoreFailed(logger, exception.Message);
    }

    private static Rejection? Bare(int status) => status switch
    {
        StatusCodes.Status404NotFound => new(status, "notFound"),
        StatusCodes.Status405MethodNotAllowed => new(status, "methodNotAllowed"),
        StatusCodes.Status415UnsupportedMediaType => Rejection.NotAForm,
        StatusCodes.Status413PayloadTooLarge => Rejection.TooLarge,
        _ => null,
    };

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "A request could not be served")]
        public static partial void Unexpected(ILogger logger, Exception exception);

        [LoggerMessage(2, LogLevel.Error, "The database did not answer a request: {Reason}")]
        public static partial void StoreFailed(ILogger logger, string reason);
    }
}
