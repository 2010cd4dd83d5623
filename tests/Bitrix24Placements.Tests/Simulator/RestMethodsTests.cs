using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using static Bitrix24Placements.Tests.Simulator.Asking;

namespace Bitrix24Placements.Tests.Simulator;

public sealed class RestMethodsTests : IAsyncLifetime
{
    private Bitrix24 _bitrix = null!;

    private SimPortal Portal => _bitrix.Portals[0];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _bitrix = await Bitrix24.StartAsync(new() { InstallFinished = true });

    public ValueTask DisposeAsync() => _bitrix.DisposeAsync();

    [Fact]
    public async Task A_method_of_ones_own_takes_the_place_of_the_simulators()
    {
        MethodCall? heard = null;
        _bitrix.Methods["crm.deal.get"] = call =>
        {
            heard = call;
            return new JsonObject { ["ID"] = call.Text("id"), ["TITLE"] = "Mine" };
        };
        var app = Portal.AddApp();

        var answer = await Portal.CallAsync("crm.deal.get", new() { ["ID"] = 77 }, userId: 2, app: app);

        Assert.Equal(("77", "Mine"), ((string?)answer["result"]!["ID"], (string?)answer["result"]!["TITLE"]));
        Assert.Equal(("crm.deal.get", 2, Portal, app), (heard!.Method, heard.UserId, heard.Portal, heard.App));
        _bitrix.Methods["crm.deal.get"] = null;
        Assert.Equal("Deal 5", (string?)(await Portal.CallAsync("crm.deal.get", new() { ["id"] = 5 }))["result"]!["TITLE"]);
    }

    [Fact]
    public async Task It_refuses_with_a_code_and_only_after_token_and_permission_have_been_looked_at()
    {
        _bitrix.Methods["crm.deal.get"] = _ => throw new RestRefusedException("NOT_TODAY", status: 403);

        Assert.Equal("NOT_TODAY", ErrorOf(await Portal.CallAsync("crm.deal.get")));
        Assert.Equal("invalid_token", ErrorOf(await Portal.CallAsync("crm.deal.get", token: "made-up")));
        Assert.Equal("insufficient_scope", ErrorOf(await Portal.CallAsync("crm.deal.get", app: Portal.AddApp(scopes: ["placement"]))));
    }

    [Fact]
    public async Task Methods_come_from_a_file_too()
    {
        _bitrix.Methods.Load("""{ "a.b": [1, 2], "c.d": { "error": "NO", "status": 403 }, /* empty */ "e.f": null }""");

        Assert.Equal("[1,2]", (await Portal.CallAsync("a.b"))["result"]!.ToJsonString());
        Assert.Equal("NO", ErrorOf(await Portal.CallAsync("c.d")));
        Assert.Null((await Portal.CallAsync("e.f"))["result"]);
        Assert.Equal("ERROR_METHOD_NOT_FOUND", ErrorOf(await Portal.CallAsync("g.h")));
    }

    [Fact]
    public async Task Deals_comments_tasks_and_users_are_there()
    {
        var notWon = new JsonObject { ["filter"] = new JsonObject { ["!STAGE_ID"] = "WON" }, ["select"] = new JsonArray("ID") };
        var open = await Portal.CallAsync("crm.deal.list", notWon);
        Assert.Equal("""[{"ID":"5"},{"ID":"6"}]""", open["result"]!.ToJsonString());
        var comment = new JsonObject { ["ENTITY_TYPE"] = "deal", ["ENTITY_ID"] = 5, ["COMMENT"] = "Signed" };
        Assert.NotNull((await Portal.CallAsync("crm.timeline.comment.add", new() { ["fields"] = comment }, userId: 2))["result"]);
        var kept = Assert.Single(Portal.Records.TimelineComments.All);
        Assert.Equal(("Signed", "2"), ((string?)kept["COMMENT"], (string?)kept["AUTHOR_ID"]));
        var task = await Portal.CallAsync("tasks.task.get", new() { ["taskId"] = 11 });
        Assert.Equal("Call Dana", (string?)task["result"]!["task"]!["title"]);
        Assert.Equal(5, (int)(await Portal.CallAsync("user.get"))["total"]!);
        Assert.Equal("Carol", (string?)(await Portal.CallAsync("user.get", new() { ["ID"] = 3 }))["result"]![0]!["NAME"]);
        Assert.Equal("ERROR_NOT_FOUND", ErrorOf(await Portal.CallAsync("crm.deal.get", new() { ["id"] = 999 })));
    }

    [Fact]
    public async Task A_deal_that_is_added_by_REST_makes_its_event()
    {
        using var service = new Listening();
        Portal.Bind("ONCRMDEALADD", service.Url);

        var id = (int)(await Portal.CallAsync("crm.deal.add", new() { ["fields"] = new JsonObject { ["TITLE"] = "New" } }))["result"]!;

        Assert.Equal($"{id}", (await service.NextAsync())["data[FIELDS][ID]"]);
        Assert.Equal("New", (string?)Portal.Records.Deals.Find(id)!["TITLE"]);
    }

    [Fact]
    public async Task A_tab_is_bound_more_than_once_and_keeps_what_it_was_given()
    {
        var english = new JsonObject { ["TITLE"] = "Contract", ["GROUP_NAME"] = "Law" };
        var texts = new JsonObject { ["en"] = english, ["ru"] = new JsonObject { ["TITLE"] = "Договор" } };
        foreach (var path in new[] { "a", "b" })
        {
            var asked = new JsonObject { ["PLACEMENT"] = "CRM_DEAL_DETAIL_TAB", ["HANDLER"] = $"http://127.0.0.1/{path}" };
            asked["LANG_ALL"] = texts.DeepClone();
            Assert.Null(ErrorOf(await Portal.CallAsync("placement.bind", asked)));
        }

        var tabs = (await Portal.CallAsync("placement.get"))["result"]!.AsArray();

        Assert.Equal(["http://127.0.0.1/a", "http://127.0.0.1/b"], tabs.Select(tab => (string?)tab!["handler"]));
        Assert.Equal(("Contract", "Law"), ((string?)tabs[0]!["title"], (string?)tabs[0]!["groupName"]));
        Assert.Equal("Договор", (string?)tabs[0]!["langAll"]!["ru"]!["TITLE"]);
    }

    [Fact]
    public async Task Placements_are_those_of_the_permissions()
    {
        var app = Portal.AddApp(scopes: ["placement"]);

        var listed = await Portal.CallAsync("placement.list", userId: 2, app: app);
        var own = listed["result"]!.AsArray().Select(code => (string)code!).ToList();
        listed = await Portal.CallAsync("placement.list", new() { ["FULL"] = true, ["SCOPE"] = "task" }, app: app);
        var tasks = listed["result"]!.AsArray();

        Assert.Contains("REST_APP_URI", own);
        Assert.DoesNotContain("CRM_DEAL_DETAIL_TAB", own);
        Assert.All(tasks, code => Assert.StartsWith("TASK_", (string)code!, StringComparison.Ordinal));
        var bind = new JsonObject { ["PLACEMENT"] = "CRM_DEAL_DETAIL_TAB", ["HANDLER"] = "http://127.0.0.1/a" };
        Assert.Equal("ERROR_PLACEMENT_NOT_FOUND", ErrorOf(await Portal.CallAsync("placement.bind", bind, app: app)));
    }

    [Fact]
    public async Task Whoever_is_dismissed_has_no_tokens_any_more()
    {
        var tokens = Portal.IssueTokens(4);
        var others = Portal.IssueTokens(1);

        Portal.Dismiss(4);

        Assert.Equal("invalid_grant", ErrorOf(await _bitrix.RefreshAsync(Portal.App.ClientId, Portal.App.ClientSecret, tokens.Refresh)));
        Assert.Equal("invalid_token", ErrorOf(await Portal.CallAsync("profile", token: tokens.Access)));
        Assert.Null(ErrorOf(await Portal.CallAsync("profile", token: others.Access)));
        Assert.Throws<InvalidOperationException>(() => Portal.IssueTokens(4));
    }

    [Fact]
    public async Task Answers_can_be_bombs_slow_or_of_the_newest_form()
    {
        _bitrix.Faults.Next("rest:profile", Fault.GzipBomb(16));
        _bitrix.Faults.Next("rest:profile", Fault.SlowBody(TimeSpan.FromMilliseconds(20), pieceBytes: 16));
        _bitrix.Faults.Next("rest:profile", Fault.ErrorObject("BITRIX_REST_V3_EXCEPTION", 400, "No"));

        var url = $"{Portal.ClientEndpoint}profile?auth={Portal.IssueTokens(1).Access}";
        var packed = await Http.GetByteArrayAsync(url, Token);
        await using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        await gzip.CopyToAsync(unpacked, Token);
        Assert.InRange(packed.Length, 1, 64 * 1024);
        Assert.InRange(unpacked.Length, 16_000_000, 18_000_000);

        var started = Stopwatch.StartNew();
        Assert.Equal("1", (string?)(await Portal.CallAsync("profile"))["result"]!["ID"]);
        Assert.True(started.ElapsedMilliseconds > 100, $"{started.ElapsedMilliseconds} ms");
        Assert.Equal("BITRIX_REST_V3_EXCEPTION", (string?)(await Portal.CallAsync("profile"))["error"]!["code"]);
    }
}
