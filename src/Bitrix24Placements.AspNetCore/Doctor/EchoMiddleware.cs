using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Doctor;

/// <summary>Answers the doctor at our own addresses: HEAD goes its usual way, a POST is read whole and does nothing.</summary>
internal sealed class EchoMiddleware(RequestDelegate next, EchoSeal seal, HeardEvents heard, RejectionWriter rejections)
{
    /// <summary>So it can be seen whether somebody on the way adds a header of his own.</summary>
    public const string Policy = "default-src 'none'; frame-ancestors https://doctor.invalid";

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (context.GetEndpoint()?.Metadata.GetMetadata<OwnEndpoint>() is null)
            return next(context);
        if (request.Headers[EchoSeal.Header] is [{ Length: > 0 and <= EchoSeal.MaxNonceLength } nonce])
            return AnswerAsync(context, nonce);
        return HeardEvents.NonceOf(request) is { } told && HttpMethods.IsPost(request.Method) ? HearAsync(context, told) : next(context);
    }

    private async Task AnswerAsync(HttpContext context, string nonce)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            Write(context, nonce, 0);
            await next(context);
            return;
        }

        var body = await BoundedBody.ReadAsync(context, (_, bytes) => new ReadBody(bytes.Length));
        if (body.Value is not { } read)
        {
            await rejections.WriteAsync(context, body.Rejection ?? Rejection.TooLarge);
            return;
        }

        Write(context, nonce, read.Bytes);
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers.CacheControl = "no-store";
    }

    private void Write(HttpContext context, string nonce, long bytes)
    {
        var request = context.Request;
        context.Response.Headers[EchoSeal.Header] =
            seal.Seal(new(nonce, request.Scheme, request.Host.Value ?? "", bytes, heard.StatusOf(HeardEvents.NonceOf(request))));
    }

    private sealed record ReadBody(long Bytes);

    private async Task HearAsync(HttpContext context, string nonce)
    {
        await next(context);
        heard.Add(nonce, context.Response.StatusCode);
    }
}

/// <summary>In memory: the doctor asks until the instance that has heard his event answers.</summary>
internal sealed class HeardEvents : IDisposable
{
    /// <summary>In the query: so the test event's way is that of any other.</summary>
    public const string Parameter = "doctor";

    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(10);

    /// <summary>Anybody can post an event with a nonce of his own.</summary>
    private readonly MemoryCache _statuses = new(new MemoryCacheOptions { SizeLimit = 20_000 });

    /// <summary>A query is taken apart only where it may hold one: every launch comes by here.</summary>
    public static string? NonceOf(HttpRequest request) =>
        request.QueryString.Value?.Contains(Parameter + "=", StringComparison.Ordinal) == true
        && request.Query[Parameter] is [{ Length: > 0 and <= EchoSeal.MaxNonceLength } nonce] ? nonce : null;

    public int? StatusOf(string? nonce) => nonce is null ? null : _statuses.Get<int?>(nonce);

    public void Add(string nonce, int status) =>
        _statuses.Set<int?>(nonce, status, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = Kept });

    public void Dispose() => _statuses.Dispose();
}
