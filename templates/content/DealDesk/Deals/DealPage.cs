using System.Text.Json;
using Bitrix24Placements;

namespace DealDesk.Deals;

/// <summary>A deal with a button to comment it. What stands in a hole of <see cref="Html.Of"/> is encoded.</summary>
public sealed class DealPage(PageFrame frame, RestClient rest, CommentLog log)
{
    public async Task<Markup> ShowAsync(HttpContext context, PlacementRequest request, int? dealId, CancellationToken cancellationToken)
    {
        var deal = dealId is { } id && request.UserId is not null
            ? await rest.CallAsUserAsync<JsonElement>(request, "crm.deal.get", new { id }, cancellationToken)
            : new RestResult<JsonElement>();
        return Html.Of(
            $"""
            {frame.Head(context, request.Language, "Deal desk")}
            {frame.Body(context, request.Session)}
            <main>
            {(dealId is null ? Html.Of($"<h1>Deal desk</h1><p>Open a deal: a link with params[docId]=5, or the tab of a deal.</p>") : Deal(request, dealId.Value, deal))}
            </main>
            <script type="module" src="{frame.BasePath(context)}/deal.js"></script>
            </body>
            </html>
            """);
    }

    private Markup Deal(PlacementRequest request, int id, RestResult<JsonElement> deal)
    {
        if (!deal.Ok)
            return Html.Of($"""<h1>Deal {id}</h1><p class="outcome bad">Bitrix24 does not show you this deal: {deal.Error.Code}</p>""");
        var title = deal.Value.ValueKind == JsonValueKind.Object && deal.Value.TryGetProperty("TITLE", out var text) ? text.ToString() : $"Deal {id}";
        return Html.Of(
            $"""
            <h1>{title}</h1>
            <p>Comments made here: <strong id="count">{log.Count(request.Portal.Id, id)}</strong></p>
            <form id="comment" data-deal="{id}">
            <label>Comment <input name="text" required maxlength="2000"></label>
            <button type="submit">Add to the timeline</button>
            </form>
            <p id="status" role="status"></p>
            """);
    }
}
