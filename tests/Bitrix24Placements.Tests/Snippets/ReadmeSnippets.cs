using System.Text.Json.Serialization;
using Bitrix24Placements;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Snippets;

/// <summary>What README.md shows.</summary>
internal static class ReadmeSnippets
{
    public static void Run(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddBitrix24Placements();
        var app = builder.Build();
        app.UseBitrix24Placements();
        app.MapBitrix24Placements();

        Map(app);

        app.Run();
    }

    public static void Map(WebApplication app)
    {
        app.MapRestAppUri((RestAppUriRequest request) =>
            Results.Text($"Document {request.Options.Parameters.GetValueOrDefault("docId")}"));
        app.MapPlacement("CRM_DEAL_DETAIL_TAB", (PlacementRequest<DealTab> request) => Results.Text($"Deal {request.Options.Id}"))
            .WithTitle("Contract").WithTitle("ru", "Договор");
        app.MapEvent("ONCRMDEALADD", (EventRequest e, PortalSignals signals, CancellationToken cancellationToken) =>
            signals.SendAsync(e.Portal.Id, "refresh", cancellationToken: cancellationToken));
        app.MapPost("/deals/{id:int}/comment", (int id, PageSession session, RestClient rest, CancellationToken cancellationToken) =>
            rest.CallAsUserAsync(session, "crm.timeline.comment.add", Comment(id), cancellationToken)).RequirePageSession();

        static object Comment(int id) => new { fields = new { ENTITY_ID = id, ENTITY_TYPE = "deal", COMMENT = "Seen" } };
    }

    internal sealed record DealTab([property: JsonPropertyName("ID")] string Id);
}
