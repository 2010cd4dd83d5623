using System.Buffers;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Doctor;

/// <summary>Answers the doctor at our own addresses: HEAD goes on, a POST is read whole and does nothing.</summary>
internal sealed class EchoMiddleware(RequestDelegate next, EchoSeal seal, HeardEvents heard, RejectionWriter rejections)
{
    /// <summary>Shows whether somebody on the way adds a header of his own.</summary>
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

        var body = await BoundedBody.ReadAsync(context, (_, bytes) => bytes.ToArray());
        if (!body.Ok)
        {
            await rejections.WriteAsync(context, body.Rejection);
            return;
        }

        Write(context, nonce, body.Value.Length);
        context.Response.ContentType = Markup.ContentType;
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers.CacheControl = "no-store";
    }

    private void Write(HttpContext context, string nonce, long bytes)
    {
        var request = context.Request;
        context.Response.Headers[EchoSeal.Header] =
            seal.Seal(new(nonce, request.Scheme, request.Host.Value ?? "", bytes, heard.StatusOf(HeardEvents.NonceOf(request))));
    }

    private async Task HearAsync(HttpContext context, string nonce)
    {
        await next(context);
        heard.Add(nonce, context.Response.StatusCode);
    }
}

/// <summary>In memory: the doctor asks until he meets the instance that has heard his event.</summary>
internal sealed class HeardEvents : IDisposable
{
    /// <summary>In the query, so that the test event goes the way of any other.</summary>
    public const string Parameter = "doctor";

    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(10);

    /// <summary>Bounded: anybody can post one.</summary>
    private readonly MemoryCache _statuses = new(new MemoryCacheOptions { SizeLimit = 20_000 });

    /// <summary>Every launch comes by here: a query is parsed only where it may hold one.</summary>
    public static string? NonceOf(HttpRequest request) =>
        request.QueryString.Value?.Contains(Parameter + "=", StringComparison.Ordinal) == true
        && request.Query[Parameter] is [{ Length: > 0 and <= EchoSeal.MaxNonceLength } nonce] ? nonce : null;

    public int? StatusOf(string? nonce) => nonce is null ? null : _statuses.Get<int?>(nonce);

    public void Add(string nonce, int status) =>
        _statuses.Set<int?>(nonce, status, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = Kept });

    public void Dispose() => _statuses.Dispose();
}
