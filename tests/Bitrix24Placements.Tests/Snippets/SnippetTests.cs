using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Snippets;

namespace Bitrix24Placements.Tests.Snippets;

/// <summary>What the documents show does what they say of it.</summary>
public sealed partial class SnippetTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_app_of_the_readme_is_installed_and_answers()
    {
        await using var app = await OwnApp.StartAsync(static app =>
        {
            app.MapBitrix24Placements();
            ReadmeSnippets.Map(app);
        });
        var outcome = await app.InstallAsync();
        Assert.True((bool?)outcome["finished"]);
        Assert.Equal("Document 42", await app.OpenAsync("REST_APP_URI", options: new() { ["docId"] = "42" }));
        Assert.Equal("Document ", await app.OpenAsync("REST_APP_URI"));
        Assert.Equal("Deal 5", await app.OpenAsync("CRM_DEAL_DETAIL_TAB", options: new() { ["ID"] = "5" }));
        using var comment = await app.AskAsync(HttpMethod.Post, "/deals/5/comment", session: null);
        Assert.Equal(HttpStatusCode.Unauthorized, comment.StatusCode);
        Assert.Contains(app.Portal.EventHandlers, static h => h.Event == "ONCRMDEALADD");
    }

    [Fact]
    public async Task A_link_shows_a_deal_and_says_when_it_names_none()
    {
        await using var app = await StartAsync(YourOwnCodeSnippets.MapLink);
        app.Bitrix.Methods["crm.deal.get"] = static call => new JsonObject
        {
            ["TITLE"] = $"<Roof> {call.Text("id")}",
            ["ASSIGNED_BY_ID"] = "2",
        };
        var page = await app.OpenAsync("REST_APP_URI", userId: 2, new() { ["docId"] = "42" });
        Assert.Contains("<h1>&lt;Roof&gt; 42</h1>", page, StringComparison.Ordinal);
        using var without = await app.LaunchAsync("REST_APP_URI");
        Assert.Equal(HttpStatusCode.BadRequest, without.StatusCode);
    }

    [Fact]
    public async Task A_page_carries_a_session_that_comments_as_its_user()
    {
        await using var app = await StartAsync(static app =>
        {
            YourOwnCodeSnippets.MapPage(app);
            YourOwnCodeSnippets.MapEndpoints(app);
        });
        var author = 0;
        app.Bitrix.Methods["crm.timeline.comment.add"] = call =>
        {
            author = call.UserId;
            return JsonValue.Create(1);
        };
        var page = await app.OpenAsync("REST_APP_URI", userId: 2);
        Assert.Contains("Contract of user 2", page, StringComparison.Ordinal);
        using var comment = await app.AskAsync(HttpMethod.Post, "/deals/5/comment", SessionIn().Match(page).Groups[1].Value);
        Assert.Equal(HttpStatusCode.NoContent, comment.StatusCode);
        Assert.Equal(2, author);
    }

    [Fact]
    public async Task One_page_serves_link_and_signal_and_options_have_a_type()
    {
        await using var app = await StartAsync(
            static app =>
            {
                YourOwnCodeSnippets.MapLinkAndSignal(app);
                YourOwnCodeSnippets.MapTab(app);
            },
            static services => services.AddSingleton<DealPages>());
        Assert.Equal("Deals REST_APP_URI 1", await app.OpenAsync("REST_APP_URI", options: new() { ["docId"] = "42" }));
        Assert.Equal("Deals DEFAULT 0", await app.OpenAsync("DEFAULT"));
        Assert.Equal("Task 7", await app.OpenAsync("TASK_VIEW_TAB", options: new() { ["taskId"] = "7" }));
    }

    [Fact]
    public async Task Events_are_handled_and_customers_come_and_go()
    {
        await using var app = await StartAsync(YourOwnCodeSnippets.MapEvents, static services => services.AddSingleton<Customers>());
        app.Bitrix.Methods["crm.deal.get"] = static _ => new JsonObject { ["TITLE"] = "Roof", ["ASSIGNED_BY_ID"] = "2" };
        await UntilAsync(() => app.Get<Customers>().Count == 1);
        var data = new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = 42 } };
        await app.Portal.SendEventAsync("ONCRMDEALADD", data, cancellationToken: Token);
        await UntilAsync(() => app.Portal.Calls.Any(static c => c.Method == "pull.application.event.add"));
        await app.Portal.UninstallAsync(clean: true, Token);
        await UntilAsync(() => app.Get<Customers>().Count == 0);
    }

    [Fact]
    public async Task What_is_compiled_ahead_of_time_is_served_too()
    {
        await using var app = await StartAsync(YourOwnCodeSnippets.MapAheadOfTime, static services => services.AddSingleton<DealLog>());
        Assert.Equal("Deal 42", await app.OpenAsync("REST_APP_URI", options: new() { ["docId"] = "42" }));
        Assert.Equal("Task 7", await app.OpenAsync("TASK_VIEW_TAB", options: new() { ["taskId"] = "7" }));
        await app.Portal.SendEventAsync("ONCRMDEALADD", cancellationToken: Token);
        await UntilAsync(() => app.Get<DealLog>().Count == 1);
    }

    private static async Task<OwnApp> StartAsync(Action<WebApplication> map, Action<IServiceCollection>? services = null)
    {
        var app = await OwnApp.StartAsync(
            app =>
            {
                app.MapBitrix24Placements();
                map(app);
            },
            services);
        await app.InstallAsync();
        return app;
    }

    private static async Task UntilAsync(Func<bool> happened)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Token);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        while (!happened())
            await Task.Delay(50, timeout.Token);
    }

    [GeneratedRegex("data-session=\"([^\"]+)\"")]
    private static partial Regex SessionIn();
}
