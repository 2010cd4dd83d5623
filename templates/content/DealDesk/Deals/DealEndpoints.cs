using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Bitrix24Placements;
using Microsoft.Extensions.Options;

namespace DealDesk.Deals;

/// <summary>What the portal's deal card sends with the tab.</summary>
public sealed record DealTab([property: JsonPropertyName("ID")] int Id);

public sealed record NewComment(string Text);

public static class DealEndpoints
{
    public static void MapDeals(this WebApplication app)
    {
        // A link in any text, a signal and the tab of a deal open the same page.
        app.MapRestAppUri((RestAppUriRequest request, DealPage page, HttpContext context, CancellationToken cancellationToken) =>
            page.ShowAsync(context, request, DealId(request.Options.Parameters), cancellationToken));
        app.MapAppPage((AppPageRequest request, DealPage page, HttpContext context, CancellationToken cancellationToken) =>
            page.ShowAsync(context, request, DealId(request.Parameters), cancellationToken));
        app.MapPlacement("CRM_DEAL_DETAIL_TAB", (PlacementRequest<DealTab> request, DealPage page, HttpContext context, CancellationToken cancellationToken) =>
                page.ShowAsync(context, request, request.Options.Id, cancellationToken))
            .WithTitle("Deal desk").WithTitle("ru", "Стол сделок");

        app.MapPost("/deals/{id:int}/comment", CommentAsync).RequirePageSession();
        app.MapEvent("ONCRMDEALADD", AnnounceAsync);
        app.MapUninstalled((UninstalledEvent e, CommentLog log) => log.Forget(e.Portal.Id));
    }

    /// <summary>As the user who presses the button: what he may not do in Bitrix24 he may not do here.</summary>
    private static async Task<IResult> CommentAsync(
        int id, NewComment comment, PageSession session, RestClient rest, CommentLog log, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(comment.Text) || comment.Text.Length > 2000)
            return Results.ValidationProblem(new Dictionary<string, string[]> { ["text"] = ["1 to 2000 characters are expected."] });
        var added = await rest.CallAsUserAsync(session, "crm.timeline.comment.add",
            new { fields = new { ENTITY_ID = id, ENTITY_TYPE = "deal", COMMENT = comment.Text } }, cancellationToken);
        if (!added.Ok)
            return Results.Problem(added.Error.Description, statusCode: 502, title: added.Error.Code);
        log.Add(session.Portal.Id, id, session.UserId, comment.Text);
        return Results.Ok(new { count = log.Count(session.Portal.Id, id) });
    }

    /// <summary>A new deal opens its page on the screen of the person who is responsible for it.</summary>
    private static async Task AnnounceAsync(
        EventRequest e, RestClient rest, PortalSignals signals, IOptions<DealDeskOptions> options, CancellationToken cancellationToken)
    {
        // The event only names the deal: its facts come from the portal.
        var id = e.Data.GetProperty("FIELDS").GetProperty("ID").GetString();
        var deal = await rest.CallAsync<JsonElement>(e.Portal.Id, "crm.deal.get", new { id }, cancellationToken: cancellationToken);
        if (!deal.Ok)
            throw new InvalidOperationException($"crm.deal.get: {deal.Error.Code}");
        if (Amount(deal.Value) >= options.Value.MinimumAmount && long.TryParse(Text(deal.Value, "ASSIGNED_BY_ID"), out var userId))
            await signals.SendAsync(e.Portal.Id, "openApplication", new JsonObject { ["docId"] = id }, [userId], cancellationToken);
    }

    private static decimal Amount(JsonElement deal) =>
        decimal.TryParse(Text(deal, "OPPORTUNITY"), System.Globalization.CultureInfo.InvariantCulture, out var amount) ? amount : 0;

    /// <summary>Bitrix24 writes numbers as texts, mostly.</summary>
    private static string? Text(JsonElement deal, string name) => deal.TryGetProperty(name, out var value) ? value.ToString() : null;

    /// <summary>Anybody can write a link: it may name no deal.</summary>
    private static int? DealId(IReadOnlyDictionary<string, JsonElement> parameters) =>
        parameters.TryGetValue("docId", out var value) && int.TryParse(value.ToString(), out var id) ? id : null;
}
