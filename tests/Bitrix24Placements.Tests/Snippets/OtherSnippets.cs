using System.Text.Json.Nodes;
using Bitrix24Placements;
using Bitrix24Placements.PortalSimulator;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Snippets;

/// <summary>What the other documents show.</summary>
internal static class OtherSnippets
{
    /// <summary>The readme of the library's package.</summary>
    public static void Run(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddBitrix24Placements();
        var app = builder.Build();
        app.UseBitrix24Placements();
        app.MapBitrix24Placements();
        app.MapRestAppUri((RestAppUriRequest request) => Results.Text($"Hello, user {request.UserId} of {request.Portal.Domain}."));
        app.Run();
    }

    /// <summary>docs/signals.md.</summary>
    public static async Task SendAsync(PortalSignals signals, string memberId, CancellationToken cancellationToken)
    {
        var portal = new PortalId(memberId);
        var sent = await signals.SendAsync(portal, "openApplication", new() { ["docId"] = "42" }, [1, 2], cancellationToken);
        if (!sent.Ok)
            throw new InvalidOperationException($"Bitrix24 says {sent.Error.Code}");
    }

    /// <summary>docs/simulator.md.</summary>
    public static async Task TestAsync()
    {
        await using var portal = await InstalledApp<Program>.StartAsync();

        using var page = await portal.LinkAsync(new JsonObject { ["docId"] = "42" }, userId: 2);

        await portal.Portal.SendEventAsync("ONCRMDEALADD", new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = 5 } }, userId: 2);
    }

    public static void Answer(Bitrix24 bitrix)
    {
        bitrix.Methods["crm.deal.get"] = call => new JsonObject { ["ID"] = call.Text("id"), ["TITLE"] = $"For user {call.UserId}" };
        bitrix.Methods["disk.file.get"] = _ => throw new RestRefusedException("ERROR_NOT_FOUND", status: 404);
    }

    /// <summary>The readme of the simulator's package.</summary>
    public static async Task TestWithFaultsAsync()
    {
        await using var portal = await InstalledApp<Program>.StartAsync();

        portal.Bitrix.Methods["crm.deal.get"] = call => new JsonObject { ["ID"] = call.Text("id"), ["TITLE"] = "A deal" };
        portal.Bitrix.Faults.Next("rest:crm.timeline.comment.add", Fault.Error("QUERY_LIMIT_EXCEEDED", 503));

        using var tab = await portal.PlacementAsync("CRM_DEAL_DETAIL_TAB", new JsonObject { ["ID"] = "5" }, userId: 2);
        await portal.Portal.SendEventAsync("ONCRMDEALADD", new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = 5 } });
    }
}
