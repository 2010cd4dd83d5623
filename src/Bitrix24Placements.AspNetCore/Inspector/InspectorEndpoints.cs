using System.Net;

namespace Bitrix24Placements.Inspector;

/// <summary><c>/inspector</c>: in Development, and to whoever sits at this machine. For everybody else there is nothing there.</summary>
internal sealed class InspectorEndpoints(Inspections inspections)
{
    /// <summary>Another site's page cannot send it without having asked, and is not answered.</summary>
    private const string OwnPage = "Bitrix24-Inspector";

    private static readonly string[] SignsOfProxy = ["X-Forwarded-", "X-Original-", "Forwarded", "Via"];

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/inspector", Here(context => FileAsync(context, "inspector.html", "text/html; charset=utf-8")));
        endpoints.MapGet("/inspector/inspector.js", Here(context => FileAsync(context, "inspector.js", "text/javascript")));
        endpoints.MapGet("/inspector/log", Here(LogAsync));
        endpoints.MapGet("/inspector/{number:long}.txt", Here(SaveAsync));
        endpoints.MapPost("/inspector/{number:long}/replay", Here(ReplayAsync));
    }

    private static RequestDelegate Here(RequestDelegate serve) => context =>
    {
        context.Response.Headers.CacheControl = "no-store";
        return IsFromHere(context) ? serve(context) : NotFoundAsync(context);
    };

    /// <summary>A tunnel's end is on this machine, too: what came through one has another Host, or says that it was forwarded.</summary>
    private static bool IsFromHere(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && context.Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]"
        && !context.Request.Headers.Keys.Any(name =>
            SignsOfProxy.Any(s => name.StartsWith(s, StringComparison.OrdinalIgnoreCase)));

    private static Task NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static async Task FileAsync(HttpContext context, string name, string type)
    {
        await using var file = typeof(Inspections).Assembly.GetManifestResourceStream("Bitrix24Placements.Inspector." + name)!;
        context.Response.ContentType = type;
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
        await file.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private Task LogAsync(HttpContext context)
    {
        _ = long.TryParse(context.Request.Query["after"], NumberStyles.None, CultureInfo.InvariantCulture, out var after);
        return context.Response.WriteAsJsonAsync(
            inspections.After(after), InspectorJson.Default.IReadOnlyListExchange, cancellationToken: context.RequestAborted);
    }

    private async Task SaveAsync(HttpContext context)
    {
        if (Find(context) is not { } found)
        {
            await NotFoundAsync(context);
            return;
        }

        context.Response.ContentType = "text/plain; charset=iso-8859-1";
        context.Response.Headers.ContentDisposition = "attachment";
        var payload = found.ToPayload(withTokens: context.Request.Query.ContainsKey("tokens"));
        await context.Response.WriteAsync(payload, Encoding.Latin1, context.RequestAborted);
    }

    private async Task ReplayAsync(HttpContext context)
    {
        if (!context.Request.Headers.ContainsKey(OwnPage) || Find(context) is not { } found)
        {
            await NotFoundAsync(context);
            return;
        }

        // The Host is this machine's, as has been looked at.
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{context.Request.Scheme}://{context.Request.Host}{found.Address}");
        request.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(found.Body));
        request.Content.Headers.ContentType = new("application/x-www-form-urlencoded");
        request.Headers.TryAddWithoutValidation("Accept", found.Accept);
        using var answer = await Http.SendAsync(request, context.RequestAborted);
        var bytes = (await answer.Content.ReadAsByteArrayAsync(context.RequestAborted)).Length;
        await context.Response.WriteAsync($"{(int)answer.StatusCode}, {bytes} bytes", context.RequestAborted);
    }

    private CapturedRequest? Find(HttpContext context)
    {
        var number = long.Parse((string)context.Request.RouteValues["number"]!, CultureInfo.InvariantCulture);
        return inspections.After(number - 1) is [var first, ..] && first.Number == number ? first.Request : null;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<Exchange>))]
internal sealed partial class InspectorJson : JsonSerializerContext;
