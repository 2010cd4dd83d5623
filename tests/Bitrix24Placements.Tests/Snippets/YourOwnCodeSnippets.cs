using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Bitrix24Placements;
using Bitrix24Placements.PortalSimulator;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Snippets;

/// <summary>What docs/your-own-code.md shows, with the types that it takes for granted.</summary>
internal static class YourOwnCodeSnippets
{
    public static void MapLink(WebApplication app)
    {
        app.MapRestAppUri(async (RestAppUriRequest request, RestClient rest, CancellationToken cancellationToken) =>
        {
            if (!request.Options.Parameters.TryGetValue("docId", out var id))
                return Results.BadRequest();
            var deal = await rest.CallAsUserAsync<Deal>(request, "crm.deal.get", new { id }, cancellationToken);
            return deal.Ok
                ? Html.Of($"<!DOCTYPE html><title>Deal</title><h1>{deal.Value.Title}</h1>")
                : Results.Problem(deal.Error.Description, statusCode: 502);
        });
    }

    public static void MapPage(WebApplication app)
    {
        app.MapRestAppUri((HttpContext context, RestAppUriRequest request, PageFrame pages) => Html.Of(
            $"""
            {pages.Head(context, request.Language, "Contract")}
            {pages.Body(context, request.Session)}
            <main><h1>Contract of user {request.UserId}</h1></main>
            <script type="module" src="{pages.BasePath(context)}/contract.js"></script>
            </body>
            </html>
            """));
    }

    public static void MapLinkAndSignal(WebApplication app)
    {
        app.MapRestAppUri((RestAppUriRequest request, DealPages pages) => pages.Show(request, request.Options.Parameters));
        app.MapAppPage((AppPageRequest request, DealPages pages) => pages.Show(request, request.Parameters));
    }

    public static void MapTab(WebApplication app)
    {
        app.MapPlacement("TASK_VIEW_TAB", (PlacementRequest<TaskTab> request) => Results.Text($"Task {request.Options.TaskId}"))
            .WithTitle("Contract").WithTitle("ru", "Договор").WithTitle("la", "Contrato")
            .WithDescription("The contract of this task");
    }

    public static void MapEvents(WebApplication app)
    {
        app.MapEvent("ONCRMDEALADD", async (EventRequest e, RestClient rest, PortalSignals signals, CancellationToken cancellation) =>
        {
            var id = e.Data.GetProperty("FIELDS").GetProperty("ID").GetString();
            var deal = await rest.CallAsync<Deal>(e.Portal.Id, "crm.deal.get", new { id }, cancellationToken: cancellation);
            if (!deal.Ok)
                throw new InvalidOperationException($"Deal {id}: {deal.Error.Code}");
            await signals.SendAsync(e.Portal.Id, "openApplication", new() { ["dealId"] = id }, [deal.Value.ResponsibleId], cancellation);
        });
        app.MapInstalled((InstalledEvent e, Customers customers) =>
            customers.Add(e.Portal.MemberId, e.App.Name, e.Portal.Domain));
        app.MapUninstalled((UninstalledEvent e, Customers customers) =>
            customers.Remove(e.Portal.MemberId, e.App.Name));
    }

    public static void MapEndpoints(WebApplication app)
    {
        var deals = app.MapGroup("/deals").RequirePageSession();
        deals.MapPost("/{id:int}/comment", async (int id, PageSession session, RestClient rest, CancellationToken cancellationToken) =>
        {
            var fields = new { ENTITY_ID = id, ENTITY_TYPE = "deal", COMMENT = "Seen" };
            var added = await rest.CallAsUserAsync(session, "crm.timeline.comment.add", new { fields }, cancellationToken);
            return added.Ok ? Results.NoContent() : Results.Problem(added.Error.Description, statusCode: 502);
        });
    }

    public static void AllowImages(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = headers.ContentSecurityPolicy.ToString()
            .Replace("img-src 'self'", "img-src 'self' https://cdn.example.com", StringComparison.Ordinal);
    }

    public static void MapAheadOfTime(WebApplication app)
    {
        app.MapRestAppUri(async (context, request) =>
            await context.Response.WriteAsync($"Deal {request.Options.Parameters.GetValueOrDefault("docId")}"));
        app.MapPlacement("TASK_VIEW_TAB", Json.Default.TaskTab, async (context, request) =>
            await context.Response.WriteAsync($"Task {request.Options.TaskId}"));
        app.MapEvent("ONCRMDEALADD", (e, services, cancellation) =>
            services.GetRequiredService<DealLog>().AddAsync(e, cancellation));
    }

    public static async Task TestAsync()
    {
        await using var portal = await InstalledApp<Program>.StartAsync();
        portal.Bitrix.Methods["crm.deal.get"] = call => new JsonObject { ["TITLE"] = "Roof", ["ASSIGNED_BY_ID"] = "2" };

        using var page = await portal.LinkAsync(new JsonObject { ["docId"] = "42" }, userId: 2);
        Assert.Contains("Roof", await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        await portal.Portal.SendEventAsync("ONCRMDEALADD", new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = 42 } });
        await portal.EventuallyAsync(() => portal.Portal.Calls.Any(c => c.Method == "pull.application.event.add"), "the signal");
    }
}

internal sealed record TaskTab([property: JsonPropertyName("taskId")] int TaskId);

internal sealed record Deal(
    [property: JsonPropertyName("TITLE")] string Title,
    [property: JsonPropertyName("ASSIGNED_BY_ID")] long ResponsibleId);

[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(TaskTab))]
internal sealed partial class Json : JsonSerializerContext;

internal sealed class DealPages
{
    private readonly string _title = "Deals";

    public IResult Show(PlacementRequest request, IReadOnlyDictionary<string, JsonElement> parameters) =>
        Results.Text($"{_title} {request.Placement} {parameters.Count}");
}

internal sealed class Customers
{
    private readonly HashSet<(string MemberId, string App, string Domain)> _known = [];

    public int Count => _known.Count;

    public void Add(string memberId, string app, string domain) => _known.Add((memberId, app, domain));

    public void Remove(string memberId, string app) => _known.RemoveWhere(c => c.MemberId == memberId && c.App == app);
}

internal sealed class DealLog
{
    private int _count;

    public int Count => _count;

    public Task AddAsync(EventRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Add(ref _count, request.Id.Length > 0 ? 1 : 0);
        return Task.CompletedTask;
    }
}
