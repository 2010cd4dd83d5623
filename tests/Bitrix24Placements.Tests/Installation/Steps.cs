using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Portals;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>What the tests of installations do and look at again and again.</summary>
internal static class Steps
{
    public const string Link = "REST_APP_URI";
    public const string Worker = "PAGE_BACKGROUND_WORKER";
    public const string Bind = "rest:placement.bind";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The wizard's form as the portal posts it to this service.</summary>
    public static LaunchForm Wizard(this Service service, int userId = 1, SimPortal? portal = null, SimApp? app = null, string? lang = null) =>
        (portal ?? service.Portal).InstallFields(userId, lang, new Uri(service.Url, "/install").AbsoluteUri, app);

    public static async Task InstallAndFinishAsync(this Service service)
    {
        var outcome = await service.InstallAsync();
        Assert.True((bool)outcome["finished"]!, outcome.ToJsonString());
        service.Portal.FinishInstall();
    }

    public static Task<Portal?> StoredAsync(this Service service, SimPortal? portal = null) =>
        service.Get<PortalStore>().FindAsync((portal ?? service.Portal).Id, Token);

    /// <summary>After CLEAN=1: tokens and application_token are gone at once, the row a day later.</summary>
    public static async Task<bool> IsCleanAsync(this Service service) =>
        await service.StoredAsync() is { State: PortalState.Uninstalled, Tokens: null, Reserve: null, ApplicationTokenHash: null };

    public static Task<bool> HasWorkAsync(this Service service, string kind) => service.Get<Database>().HasWorkAsync(service.Portal.Id, kind);

    /// <summary>In how many seconds work is due; null where there is none.</summary>
    public static async Task<double?> DueInAsync(this Service service, string kind)
    {
        var rows = await service.Get<Database>().QueryAsync($"SELECT due_at FROM work WHERE kind = {kind}", static r => r.GetInt64(0), Token);
        return rows is [var due] ? (DateTimeOffset.FromUnixTimeMilliseconds(due) - service.Get<TimeProvider>().GetUtcNow()).TotalSeconds : null;
    }

    public static List<string> Methods(this SimPortal portal) => [.. portal.Calls.Select(c => c.Method)];

    public static int Count(this SimPortal portal, string method) => portal.Calls.Count(c => c.Method == method);

    public static string? RemovalUrl(this SimPortal portal) => (string?)portal.Placements.Single(p => p.Placement == Worker).Options["errorHandlerUrl"];

    /// <summary>Both placements, once each, at this service's address.</summary>
    public static bool IsRegistered(this Service service, SimPortal? portal = null) =>
        (portal ?? service.Portal).Placements.Select(p => (p.Placement, p.Handler)).Order()
            .SequenceEqual([(Worker, service.Url + "placements/page-background-worker"), (Link, service.Url + "placements/rest-app-uri")]);

    public static Task EventuallyRegisteredAsync(this Service service, int seconds = 20) => service.EventuallyAsync(() => service.IsRegistered(), "both placements are registered", seconds);

    /// <summary>Registered, and nothing more to do.</summary>
    public static Task EventuallyReconciledAsync(this Service service) =>
        service.EventuallyAsync(async () => service.IsRegistered() && !await service.HasWorkAsync(WorkKind.Reconcile), "the portal is reconciled");

    public static JsonObject Placement(this JsonObject outcome, string placement) =>
        (JsonObject)outcome["placements"]!.AsArray().Single(p => (string)p!["placement"]! == placement)!;

    public static void AssertAllFailed(this JsonObject outcome, string code)
    {
        Assert.False((bool)outcome["finished"]!);
        Assert.Equal(2, outcome["placements"]!.AsArray().Count);
        Assert.All(outcome["placements"]!.AsArray(), p => Assert.Equal(("failed", code), ((string)p!["state"]!, (string)p["error"]!)));
    }

    public static async Task AssertRefusedAsync(this HttpResponseMessage answer, HttpStatusCode status, string code)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(code, await Service.CodeAsync(answer));
    }

    public static async Task<HttpStatusCode> SignalAsync(this Service service)
    {
        using var answer = await service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = service.Portal.MemberId, ["command"] = "test" });
        return answer.StatusCode;
    }

    public static Task<string> TextAsync(this HttpResponseMessage answer) => answer.Content.ReadAsStringAsync(Token);
}
