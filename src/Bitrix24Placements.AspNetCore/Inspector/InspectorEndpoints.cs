using System.Net;

namespace Bitrix24Placements.Inspector;

/// <summary><c>/inspector</c>: in Development, and to whoever sits at this machine. For everybody else there is nothing there.</summary>
internal static class InspectorEndpoints
{
    /// <summary>Another site's page cannot send it without having asked, and is not answered.</summary>
    private const string OwnPage = "Bitrix24-Inspector";

    private static readonly string[] SignsOfProxy = ["X-Forwarded-", "X-Original-", "Forwarded", "Via"];

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    public static void MapInspector(this IEndpointRouteBuilder endpoints)
    {
        if (endpoints.ServiceProvider.GetService<Inspections>() is not { } inspections)
            return;
        endpoints.MapGet("/inspector", Here(context => FileAsync(context, "inspector.html", "text/html; charset=utf-8")));
        endpoints.MapGet("/inspector/inspector.js", Here(context => FileAsync(context, "inspector.js", "text/javascript")));
        endpoints.MapGet("/inspector/log", Here(context => LogAsync(context, inspections)));
        endpoints.MapGet("/inspector/{number:long}.txt", Here(context => SaveAsync(context, inspections)));
        endpoints.MapPost("/inspector/{number:long}/replay", Here(context => ReplayAsync(context, inspections)));
    }

    private static RequestDelegate Here(RequestDelegate serve) => context =>
    {
        if (IsFromHere(context))
        {
            context.Response.Headers.CacheControl = "no-store";
            return serve(context);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    };

    /// <summary>A tunnel's end is on this machine, too: what came through one has another Host, or says that it was forwarded.</summary>
    private static bool IsFromHere(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && context.Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]"
        && !context.Request.Headers.Keys.Any(name =>
            SignsOfProxy.Any(s => name.StartsWith(s, StringComparison.OrdinalIgnoreCase)));

    private static async Task FileAsync(HttpContext context, string name, string type)
    {
        await using var file = typeof(Inspections).Assembly.GetManifestResourceStream("Bitrix24Placements.Inspector." + name)
            ?? throw new InvalidOperationException($"{name} is not in the assembly.");
        context.Response.ContentType = type;
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
        await file.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static Task LogAsync(HttpContext context, Inspections inspections)
    {
        _ = long.TryParse(context.Request.Query["after"], NumberStyles.None, CultureInfo.InvariantCulture, out var after);
        return context.Response.WriteAsJsonAsync(
            inspections.After(after), InspectorJson.Default.IReadOnlyListExchange, cancellationToken: context.RequestAborted);
    }

    private static async Task SaveAsync(HttpContext context, Inspections inspections)
    {
        if (Find(context, inspections) is not { } found)
            return;
        context.Response.ContentType = "text/plain; charset=iso-8859-1";
        context.Response.Headers.ContentDisposition = "attachment";
        var payload = found.ToPayload(withTokens: context.Request.Query.ContainsKey("tokens"));
        await context.Response.WriteAsync(payload, Encoding.Latin1, context.RequestAborted);
    }

    private static async Task ReplayAsync(HttpContext context, Inspections inspections)
    {
        if (!context.Request.Headers.ContainsKey(OwnPage))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (Find(context, inspections) is not { } found)
            return;
        // The Host is this machine's, as has been looked at.
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{context.Request.Scheme}://{context.Request.Host}{found.Address}");
        request.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(found.Body));
        request.Content.Headers.ContentType = new("application/x-www-form-urlencoded");
        request.Headers.TryAddWithoutValidation("Accept", found.Accept);
        using var answer = await Http.SendAsync(request, context.RequestAborted);
        var bytes = (await answer.Content.ReadAsByteArrayAsync(context.RequestAborted)).Length;
        await context.Response.WriteAsync($"{(int)answer.StatusCode}, {bytes} bytes", context.RequestAborted);
    }

    private static CapturedRequest? Find(HttpContext context, Inspections inspections)
    {
        var number = long.Parse((string)context.Request.RouteValues["number"]!, CultureInfo.InvariantCulture);
        var found = inspections.After(number - 1) is [{ Request: { } request } first, ..] && first.Number == number ? request : null;
        if (found is null)
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        return found;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<Exchange>))]
internal sealed partial class InspectorJson : JsonSerializerContext;
