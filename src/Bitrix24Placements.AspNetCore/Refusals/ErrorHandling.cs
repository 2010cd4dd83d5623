using System.Data.Common;

namespace Bitrix24Placements.Refusals;

/// <summary>The headers that every answer has, and what no endpoint has answered: broken requests, a database out of reach, bugs, the bare statuses of routing.</summary>
internal sealed partial class ErrorHandling(RequestDelegate next, RejectionWriter rejections, ILogger<ErrorHandling> logger)
{
    private static readonly Rejection NotFound = new(404, "notFound", "There is nothing at this address.");
    private static readonly Rejection MethodNotAllowed = new(405, "methodNotAllowed", "This address takes another method: see the Allow header.");
    private static readonly Rejection InternalError = new(500, "internalError", "Something went wrong in the service. It is in its log.");

    public async Task InvokeAsync(HttpContext context)
    {
        SetHeaders(context);
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response.ContentLength is null && context.Response.ContentType is null && Bare(context.Response.StatusCode) is { } bare)
                await rejections.WriteAsync(context, bare);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // Nobody is there to be answered.
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
        if (exception is DbException or TimeoutException)
            Log.StoreFailed(logger, exception.Message);
        else if (rejection == InternalError)
            Log.Unexpected(logger, exception);
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        SetHeaders(context);
        await rejections.WriteAsync(context, rejection);
    }

    private static void SetHeaders(HttpContext context)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
    }

    private static Rejection? Bare(int status) => status switch
    {
        StatusCodes.Status404NotFound => NotFound,
        StatusCodes.Status405MethodNotAllowed => MethodNotAllowed,
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
