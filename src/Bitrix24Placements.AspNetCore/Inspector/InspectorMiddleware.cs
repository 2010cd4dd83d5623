using System.Diagnostics;
using Microsoft.AspNetCore.WebUtilities;

namespace Bitrix24Placements.Inspector;

/// <summary>Keeps every form that is posted, as far as it was read, and what became of it.</summary>
internal sealed class InspectorMiddleware(RequestDelegate next, Inspections inspections)
{
    private const int MaxBytes = 64 * 1024;

    public Task InvokeAsync(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method) && context.Request.HasFormContentType ? WatchAsync(context) : next(context);

    private async Task WatchAsync(HttpContext context)
    {
        var (request, decision, started) = (context.Request, new Decision(), Stopwatch.GetTimestamp());
        request.EnableBuffering(MaxBytes);
        context.Features.Set(decision);
        await next(context);
        var body = await ReadAgainAsync(request.Body);
        var fields = QueryHelpers.ParseQuery(request.QueryString.Value).Concat(QueryHelpers.ParseQuery(body));
        // A path may hold a key; its pattern does not.
        var title = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? request.Path.Value;
        inspections.AddRequest(title ?? "", new(request.Path + request.QueryString, body, request.Headers.Accept.ToString()),
            $"{context.Response.StatusCode} {decision.Text}".TrimEnd(),
            fields.Select(f => KeyValuePair.Create(f.Key, f.Value.ToString())), Stopwatch.GetElapsedTime(started));
    }

    private static async Task<string> ReadAgainAsync(Stream body)
    {
        var bytes = new byte[Math.Min(body.Length, MaxBytes)];
        body.Position = 0;
        await body.ReadExactlyAsync(bytes);
        return Encoding.Latin1.GetString(bytes);
    }
}
