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
        var (decision, started, noted) = (new Decision(), Stopwatch.GetTimestamp(), false);
        context.Request.EnableBuffering(MaxBytes);
        context.Features.Set(decision);
        // Whoever has the answer finds it in the log.
        context.Response.OnStarting(NoteAsync);
        await next(context);
        await NoteAsync();

        async Task NoteAsync()
        {
            if (noted)
                return;
            noted = true;
            await AddAsync(context, decision, Stopwatch.GetElapsedTime(started));
        }
    }

    private async Task AddAsync(HttpContext context, Decision decision, TimeSpan took)
    {
        var request = context.Request;
        var body = await ReadAgainAsync(request.Body);
        var fields = QueryHelpers.ParseQuery(request.QueryString.Value).Concat(QueryHelpers.ParseQuery(body));
        // A path may hold a key; its pattern does not.
        var title = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? request.Path.Value;
        inspections.AddRequest(title ?? "", new(request.Path + request.QueryString, body, request.Headers.Accept.ToString()),
            $"{context.Response.StatusCode} {decision.Text}".TrimEnd(),
            fields.Select(f => KeyValuePair.Create(f.Key, f.Value.ToString())), took);
    }

    private static async Task<string> ReadAgainAsync(Stream body)
    {
        var bytes = new byte[Math.Min(body.Length, MaxBytes)];
        body.Position = 0;
        await body.ReadExactlyAsync(bytes);
        return Encoding.Latin1.GetString(bytes);
    }
}
