using System.Net;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>One's own code for any placement: <c>MapPlacement</c> and its like.</summary>
public sealed partial class MappedPlacementTests
{
    private const string Tab = "CRM_DEAL_DETAIL_TAB";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public sealed record DealTab([property: JsonPropertyName("ID")] int Id, [property: JsonPropertyName("note")] string Note = "none");

    [Fact]
    public async Task Is_declared_bound_with_its_titles_and_shown_in_the_outcome()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapPlacement(Tab, (PlacementRequest<DealTab> request) => Results.Text($"{request.Options.Id}"))
                .WithTitle("Contract").WithTitle("ru", "Договор").WithDescription("Of the deal").WithGroupName("Papers");
            app.MapBitrix24Placements();
        });
        var outcome = await app.InstallAsync();

        Assert.True((bool)outcome["finished"]!, outcome.ToJsonString());
        Assert.Equal(["REST_APP_URI", "PAGE_BACKGROUND_WORKER", Tab], outcome["placements"]!.AsArray().Select(static p => (string)p!["placement"]!));
        var bound = Assert.Single(app.Portal.Placements, static p => p.Placement == Tab);
        Assert.Equal(new Uri(app.Url, "/placements/crm-deal-detail-tab").AbsoluteUri, bound.Handler);
        Assert.Equal("Договор", (string?)bound.LangAll["ru"]!["TITLE"]);
        Assert.Equal("Contract", (string?)bound.LangAll["de"]!["TITLE"]);
        Assert.Equal("Of the deal", (string?)bound.LangAll["en"]!["DESCRIPTION"]);
        Assert.Equal("Papers", (string?)bound.LangAll["en"]!["GROUP_NAME"]);
        using var page = await app.LaunchAsync("DEFAULT", path: "/");
        Assert.Contains("Contract", await page.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_are_read_as_the_handlers_type_and_refused_where_they_do_not_fit()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapBitrix24Placements();
            app.MapPlacement(Tab, (PlacementRequest<DealTab> request) => Results.Text($"{request.Options.Id} {request.Options.Note} {request.UserId} {request.App.Name}"));
        });
        await app.InstallAsync();

        using var text = await app.LaunchAsync(Tab, 2, new() { ["ID"] = "42" });
        Assert.Equal("42 none 2 default", await text.Content.ReadAsStringAsync(Token));
        using var number = await app.LaunchAsync(Tab, 3, new() { ["ID"] = 7, ["note"] = "x", ["other"] = new JsonArray(1) });
        Assert.Equal("7 x 3 default", await number.Content.ReadAsStringAsync(Token));
        foreach (var options in new JsonObject[] { new() { ["ID"] = "many" }, new() { ["id"] = "1" }, new() { ["ID"] = null }, new() { ["ID"] = 1, ["note"] = null } })
        {
            using var refused = await app.LaunchAsync(Tab, options: options, accept: "application/json");
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            var problem = await Service.JsonAsync(refused);
            Assert.Equal("malformedRequest", (string?)problem["code"]);
            Assert.Equal(["PLACEMENT_OPTIONS"], problem["errors"]!.AsObject().Select(static e => e.Key));
        }
    }

    [Fact]
    public async Task It_acts_for_a_person_who_is_confirmed()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapBitrix24Placements();
            app.MapPlacement(Tab, static (PlacementRequest request) => Results.Text($"{request.Placement} {request.UserId}"));
        });
        await app.InstallAsync();

        using var answer = await app.LaunchAsync(Tab, 2);
        Assert.Equal($"{Tab} 2", await answer.Content.ReadAsStringAsync(Token));
        Assert.Contains("frame-ancestors " + app.Portal.Url, answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.True(answer.Headers.CacheControl?.NoStore);
        using var forged = await app.LaunchAsync(Tab, accept: "application/json", change: static f => f.Body["AUTH_ID"] = "invented");
        Assert.Equal("notVerified", await Service.CodeAsync(forged));
        using var foreign = await app.LaunchAsync(Tab, accept: "application/json", change: static f => f.Body["APPLICATION_TOKEN"] = "another", userId: 2);
        Assert.Equal("notVerified", await Service.CodeAsync(foreign));
        using var other = await app.LaunchAsync("REST_APP_URI", accept: "application/json", path: "/placements/crm-deal-detail-tab");
        Assert.Equal(HttpStatusCode.BadRequest, other.StatusCode);
    }

    [Fact]
    public async Task Its_launch_context_its_HEAD_and_the_common_address_are_answered()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapBitrix24Placements();
            app.MapPlacement(Tab, static (PlacementRequest request) => Results.Text("page"));
        });
        await app.InstallAsync();

        using var json = await app.LaunchAsync(Tab, 2, new() { ["ID"] = "42", ["more"] = new JsonObject { ["a"] = 1 } }, "application/json");
        var context = await Service.JsonAsync(json);
        Assert.Equal(Tab, (string?)context["placement"]);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"ID":"42","more":{"a":1}}"""), context["options"]), context.ToJsonString());
        using var common = await app.LaunchAsync(Tab, path: "/placements");
        Assert.Equal("page", await common.Content.ReadAsStringAsync(Token));
        foreach (var path in new[] { "/placements/crm-deal-detail-tab", "/placements/rest-app-uri", "/placements", "/" })
        {
            using var head = new HttpRequestMessage(HttpMethod.Head, path);
            using var answer = await app.Http.SendAsync(head, Token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ones_own_pages_replace_the_built_in_ones_before_and_after(bool first)
    {
        await using var app = await OwnApp.StartAsync(app =>
        {
            if (!first)
                app.MapBitrix24Placements();
            app.MapRestAppUri(static (RestAppUriRequest request) => Html.Of($"<p>{request.Options.Parameters["docId"].ToString()}</p>"));
            app.MapAppPage(static async (AppPageRequest request) =>
            {
                await Task.Yield();
                return Html.Of($"own page of {request.UserId}");
            });
            app.MapBackgroundWorker(static (HttpContext context, BackgroundWorkerRequest request) => context.Response.WriteAsync($"own worker {request.Options.Id}"));
            if (first)
                app.MapBitrix24Placements();
        });
        await app.InstallAsync();

        using var link = await app.LaunchAsync("REST_APP_URI", options: new() { ["docId"] = "<42>" });
        Assert.Equal("text/html", link.Content.Headers.ContentType?.MediaType);
        Assert.Equal("<p>&lt;42&gt;</p>", await link.Content.ReadAsStringAsync(Token));
        using var page = await app.LaunchAsync("DEFAULT", 3, path: "/");
        Assert.Equal("own page of 3", await page.Content.ReadAsStringAsync(Token));
        using var context = await app.LaunchAsync("DEFAULT", 3, path: "/", accept: "application/json");
        Assert.Equal("DEFAULT", (string?)(await Service.JsonAsync(context))["placement"]);
        Assert.Equal("own worker PAGE_BACKGROUND_WORKER", await app.OpenAsync("PAGE_BACKGROUND_WORKER"));
    }

    [Fact]
    public async Task One_handler_serves_a_link_and_a_signal()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapBitrix24Placements();
            var page = static (PlacementRequest<Document> request) => Results.Text($"{request.Placement} {request.Options.DocId ?? "none"}");
            app.MapRestAppUri(page);
            app.MapAppPage(page);
        });
        await app.InstallAsync();

        Assert.Equal("REST_APP_URI 42", await app.OpenAsync("REST_APP_URI", options: new() { ["docId"] = "42" }));
        Assert.Equal("REST_APP_URI none", await app.OpenAsync("REST_APP_URI"));
        using var signal = await app.LaunchAsync("DEFAULT", options: new() { ["docId"] = "43" }, path: "/");
        Assert.Equal("DEFAULT 43", await signal.Content.ReadAsStringAsync(Token));
    }

    public sealed record Document([property: JsonPropertyName("docId")] string? DocId = null);

    [Fact]
    public async Task What_cannot_work_stops_the_start_with_one_line()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapBitrix24Placements();
            app.MapPlacement(Tab, static (PlacementRequest request) => "page");
            Assert.Contains(Tab, Line(() => app.MapPlacement(Tab, static (PlacementRequest request) => "page")), StringComparison.Ordinal);
            app.MapRestAppUri(static (RestAppUriRequest request) => "page");
            Assert.Contains("REST_APP_URI", Line(() => app.MapRestAppUri(static (RestAppUriRequest request) => "page")), StringComparison.Ordinal);
            Assert.Contains("missing", Line(() => app.MapPlacement("CRM_LEAD_LIST_MENU", static (PlacementRequest request, IMissing missing) => "page")), StringComparison.Ordinal);
            Assert.Contains("RestAppUriRequest", Line(() => app.MapPlacement("CRM_LEAD_DETAIL_TAB", static (RestAppUriRequest request) => "page")), StringComparison.Ordinal);
            foreach (var code in new[] { "", "crm_deal", "CRM-DEAL", "CRM/DEAL", "ДЕЛО", "DEFAULT", new string('A', 101) })
                Assert.Throws<ArgumentException>(() => app.MapPlacement(code, static (PlacementRequest request) => "page"));
        });
    }

    private interface IMissing;

    /// <summary>The context and the request are also what the overload for functions without a result takes.</summary>
    [Fact]
    public async Task No_result_is_lost()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapBitrix24Placements();
            app.MapRestAppUri(static (HttpContext context, RestAppUriRequest request) => Task.FromResult(Results.Text("a link")));
            app.MapAppPage(static (HttpContext context, AppPageRequest request) => Task.FromResult(Html.Of($"a page")));
            app.MapPlacement(Tab, static (HttpContext context, PlacementRequest request) => Task.FromResult("a tab"));
        });
        await app.InstallAsync();

        Assert.Equal("a link", await app.OpenAsync("REST_APP_URI"));
        Assert.Equal("a page", await app.OpenAsync("DEFAULT"));
        Assert.Equal("a tab", await app.OpenAsync(Tab));
    }

    [Fact]
    public async Task The_home_page_names_the_permissions_that_are_used()
    {
        await using var app = await OwnApp.StartAsync(
            static app =>
            {
                app.MapBitrix24Placements();
                app.MapPlacement("TASK_VIEW_TAB", static (PlacementRequest request) => "page");
                app.MapEvent("ONCRMDEALADD", static (EventRequest e) => { });
            },
            settings: new() { ["Bitrix24:Scopes"] = "user, crm" });

        var page = await app.Http.GetStringAsync("/", Token);

        foreach (var scope in new[] { "placement", "pull", "task", "crm", "user" })
            Assert.Single(page.Split($"<code>{scope}</code>")[1..]);
    }

    private static string Line(Action map)
    {
        // What a host prints that does not catch it.
        var problem = Assert.ThrowsAny<InvalidOperationException>(map).ToString();
        Assert.DoesNotContain('\n', problem);
        return problem;
    }

    [Fact]
    public async Task The_overload_for_code_that_is_compiled_ahead_of_time_reads_options_too()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapBitrix24Placements();
            app.MapPlacement(Tab, TabJson.Default.DealTab, static async (HttpContext context, PlacementRequest<DealTab> request) =>
                await context.Response.WriteAsync($"{request.Options.Id}"));
        });
        await app.InstallAsync();

        Assert.Equal("42", await app.OpenAsync(Tab, options: new() { ["ID"] = "42" }));
        using var refused = await app.LaunchAsync(Tab, options: new() { ["ID"] = "many" }, accept: "application/json");
        Assert.Equal("malformedRequest", await Service.CodeAsync(refused));
    }

    [JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowReadingFromString)]
    [JsonSerializable(typeof(DealTab))]
    private sealed partial class TabJson : JsonSerializerContext;

    [Fact]
    public void Another_title_address_placement_or_event_is_another_declaration()
    {
        var declared = new HashSet<string>();
        foreach (var (url, title, placement, events) in new (string, string?, string?, string[])[]
        {
            ("https://a.example.com", null, null, []), ("https://b.example.com", null, null, []), ("https://a.example.com", "Contract", null, []),
            ("https://a.example.com", null, Tab, []), ("https://a.example.com", null, null, ["ONCRMDEALADD"]),
        })
        {
            var catalogue = new PlacementCatalogue(Options.Create(new Bitrix24Placements.Rest.Bitrix24Options { PublicUrl = url }), new(), [new Events(events)]);
            if (title is not null)
                catalogue.TitlesOf(PlacementCatalogue.RestAppUri).Set("TITLE", "", title);
            if (placement is not null)
                catalogue.Add(new(placement, OptionsReader.Default(placement).Read, static (_, _) => Task.CompletedTask, IsBuiltIn: false));
            Assert.True(declared.Add(catalogue.Declaration));
            Assert.Equal(16, catalogue.Declaration.Length);
        }
    }

    private sealed record Events(IEnumerable<string> Names) : Bitrix24Placements.Rest.IDeclaredEvents;

    [Fact]
    public async Task The_hosts_own_custom_js_is_what_the_worker_loads()
    {
        var root = Directory.CreateTempSubdirectory("b24p-");
        try
        {
            var file = Path.Combine(root.CreateSubdirectory("wwwroot").FullName, "custom.js");
            await File.WriteAllTextAsync(file, "// mine", Token);
            await using var app = await OwnApp.StartAsync(static app => app.MapBitrix24Placements(), root: root.FullName);
            foreach (var folder in new[] { "/static/", $"/static/{PageFrame.Version}/" })
            {
                using var own = await app.Http.GetAsync(folder + "custom.js", Token);
                Assert.Equal("// mine", await own.Content.ReadAsStringAsync(Token));
                Assert.True(own.Headers.CacheControl?.MaxAge <= TimeSpan.FromMinutes(1));
                Assert.Contains("BX24", await app.Http.GetStringAsync(folder + "worker.js", Token), StringComparison.Ordinal);
            }

            await File.WriteAllTextAsync(file, "// edited", Token);
            Assert.Equal("// edited", await app.Http.GetStringAsync("/static/custom.js", Token));
            File.Delete(file);
            Assert.Contains("onSignal", await app.Http.GetStringAsync("/static/custom.js", Token), StringComparison.Ordinal);
        }
        finally
        {
            root.Delete(true);
        }
    }
}
