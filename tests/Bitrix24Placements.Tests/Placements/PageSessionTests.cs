using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>A page's session: it opens one's own endpoints, calls as its user, and is renewed.</summary>
public sealed class PageSessionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<OwnApp> StartAsync(ShiftedTime? time = null, Dictionary<string, string?>? settings = null) => OwnApp.StartAsync(
        static app =>
        {
            app.MapBitrix24Placements();
            app.MapRestAppUri(static (RestAppUriRequest request) => Results.Text(request.Session));
            app.MapBackgroundWorker(static (BackgroundWorkerRequest request) => Results.Text(request.Session));
            app.MapGet("/me", static (PageSession session) => $"{session.Portal.MemberId} {session.UserId} {session.App.Name}").RequirePageSession();
            var deals = app.MapGroup("/deals").RequirePageSession();
            deals.MapPost("/{id}/comment", static async (int id, PageSession session, RestClient rest, CancellationToken cancellationToken) =>
            {
                var added = await rest.CallAsUserAsync<int>(session, "crm.timeline.comment.add", new { id }, cancellationToken);
                return added.Ok ? Results.Text($"comment {added.Value}") : Results.Text(added.Error.Code, statusCode: 502);
            });
        },
        services => time?.Register(services), settings);

    private static async Task<OwnApp> StartInstalledAsync(ShiftedTime? time = null, Dictionary<string, string?>? settings = null)
    {
        var app = await StartAsync(time, settings);
        await app.InstallAsync();
        return app;
    }

    [Fact]
    public async Task It_opens_ones_own_endpoints_and_names_its_user()
    {
        await using var app = await StartInstalledAsync();
        var session = await app.OpenAsync("REST_APP_URI", 2);
        using var answer = await app.AskAsync(HttpMethod.Get, "/me", session);
        Assert.Equal($"{app.Portal.MemberId} 2 default", await answer.Content.ReadAsStringAsync(Token));
        Assert.Equal("", await app.OpenAsync("PAGE_BACKGROUND_WORKER"));
    }

    [Fact]
    public async Task Without_one_or_with_a_forged_one_nobody_comes_in()
    {
        await using var app = await StartInstalledAsync();
        var session = await app.OpenAsync("REST_APP_URI", 2);
        var altered = session[..^20] + (session[^20] == 'A' ? 'B' : 'A') + session[^19..];
        foreach (var forged in new[] { null, "", "x", "!!!", altered, session[..^4], session + "AAAA", app.Portal.IssueTokens(2).Access, new string('A', 4000) })
        {
            using var get = await app.AskAsync(HttpMethod.Get, "/me", forged);
            Assert.Equal(HttpStatusCode.Unauthorized, get.StatusCode);
            Assert.Equal("unauthorized", await Service.CodeAsync(get));
            using var post = await app.AskAsync(HttpMethod.Post, "/deals/1/comment", forged);
            Assert.Equal(HttpStatusCode.Unauthorized, post.StatusCode);
        }
    }

    [Fact]
    public async Task Calls_are_made_as_its_user_and_his_token_stands_nowhere_in_the_page()
    {
        await using var app = await StartInstalledAsync();
        app.Bitrix.Methods["crm.timeline.comment.add"] = static call => call.UserId;
        var tokens = app.Portal.IssueTokens(3);
        using var page = await app.LaunchAsync("REST_APP_URI", 3, change: f => f.Body["AUTH_ID"] = tokens.Access);
        var session = await page.Content.ReadAsStringAsync(Token);

        using var answer = await app.AskAsync(HttpMethod.Post, "/deals/7/comment", session);
        Assert.Equal("comment 3", await answer.Content.ReadAsStringAsync(Token));
        Assert.Equal("7", app.Portal.Calls.Last(static c => c.Method == "crm.timeline.comment.add").Params["id"]!.ToString());
        Assert.DoesNotContain(tokens.Access, session + System.Text.Encoding.Latin1.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(session)), StringComparison.Ordinal);

        app.Bitrix.Methods["crm.timeline.comment.add"] = static _ => throw new PortalSimulator.RestRefusedException("ACCESS_DENIED", status: 403);
        using var refused = await app.AskAsync(HttpMethod.Post, "/deals/7/comment", session);
        Assert.Equal("ACCESS_DENIED", await refused.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task It_calls_the_portal_where_that_is_now_and_not_where_it_was_when_the_page_was_opened()
    {
        await using var app = await StartInstalledAsync();
        app.Bitrix.Methods["crm.timeline.comment.add"] = static call => call.UserId;
        var session = await app.OpenAsync("REST_APP_URI", 3);
        app.Portal.Rename("localhost");
        await app.OpenAsync("REST_APP_URI", 2);

        using var answer = await app.AskAsync(HttpMethod.Post, "/deals/7/comment", session);

        Assert.Equal("comment 3", await answer.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task It_ends_with_the_installation()
    {
        await using var app = await StartInstalledAsync();
        var session = await app.OpenAsync("REST_APP_URI", 2);
        await app.Portal.UninstallAsync(clean: true, Token);
        for (var i = 0; i < 200; i++)
        {
            using var answer = await app.AskAsync(HttpMethod.Get, "/me", session);
            if (answer.StatusCode == HttpStatusCode.Unauthorized)
                return;
            await Task.Delay(50, Token);
        }

        Assert.Fail("The session is still good.");
    }

    [Fact]
    public async Task It_is_renewed_with_a_new_token_of_the_same_user()
    {
        await using var app = await StartInstalledAsync();
        var session = await app.OpenAsync("REST_APP_URI", 2);
        using var renewed = await RenewAsync(app, session, app.Portal.IssueTokens(2).Access);
        Assert.Equal(HttpStatusCode.OK, renewed.StatusCode);
        Assert.True(renewed.Headers.CacheControl?.NoStore);
        var body = await Service.JsonAsync(renewed);
        Assert.InRange((int)body["expiresIn"]!, 3500, 3600);
        using var me = await app.AskAsync(HttpMethod.Get, "/me", (string)body["session"]!);
        Assert.Equal($"{app.Portal.MemberId} 2 default", await me.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task It_is_renewed_as_often_as_all_pages_of_a_user_need_and_no_oftener()
    {
        await using var app = await StartInstalledAsync();
        var (session, others) = (await app.OpenAsync("REST_APP_URI", 2), await app.OpenAsync("REST_APP_URI", 3));
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 80; i++)
        {
            using var renewed = await RenewAsync(app, session, app.Portal.IssueTokens(2).Access);
            statuses.Add(renewed.StatusCode);
        }

        Assert.InRange(statuses.Count(static s => s == HttpStatusCode.OK), 60, 79);
        Assert.Equal(HttpStatusCode.TooManyRequests, statuses[^1]);
        using var another = await RenewAsync(app, others, app.Portal.IssueTokens(3).Access);
        Assert.Equal(HttpStatusCode.OK, another.StatusCode);
    }

    [Fact]
    public async Task It_is_not_renewed_with_anything_else()
    {
        await using var app = await StartInstalledAsync();
        var other = await app.Bitrix.AddPortalAsync(Token);
        await app.InstallAsync(other);
        var session = await app.OpenAsync("REST_APP_URI", 2);
        foreach (var token in new[] { app.Portal.IssueTokens(3).Access, other.IssueTokens(2).Access, app.Portal.IssueTokens(2, app: app.Portal.AddOtherApp()).Access, "invented" })
        {
            using var refused = await RenewAsync(app, session, token);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        foreach (var forged in new[] { "", "x", session[..^4] })
        {
            using var refused = await RenewAsync(app, forged, app.Portal.IssueTokens(2).Access);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        foreach (var body in new[] { "{}", "[]", "null", """{"accessToken":1}""", """{"accessToken":""}""", """{"accessToken":"a b"}""" })
        {
            using var refused = await app.AskAsync(HttpMethod.Post, "/api/session", session, JsonNode.Parse(body) ?? JsonValue.Create("null"));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
    }

    [Fact]
    public async Task An_ended_one_opens_nothing_and_is_renewed_for_a_day()
    {
        var time = new ShiftedTime();
        await using var app = await StartInstalledAsync(time);
        var session = await app.OpenAsync("REST_APP_URI", 2);
        time.Shift(TimeSpan.FromHours(2));
        using (var ended = await app.AskAsync(HttpMethod.Get, "/me", session))
            Assert.Equal(HttpStatusCode.Unauthorized, ended.StatusCode);
        using (var renewed = await RenewAsync(app, session, app.Portal.IssueTokens(2).Access))
            Assert.Equal(HttpStatusCode.OK, renewed.StatusCode);
        time.Shift(TimeSpan.FromHours(24));
        using var late = await RenewAsync(app, session, app.Portal.IssueTokens(2).Access);
        Assert.Equal(HttpStatusCode.Unauthorized, late.StatusCode);
    }

    [Fact]
    public async Task It_does_not_follow_its_portal_to_where_that_is_not_allowed()
    {
        await using var app = await StartInstalledAsync(settings: new() { ["Bitrix24:AllowedPortals:0"] = "127.0.0.1" });
        var session = await app.OpenAsync("REST_APP_URI", 2);
        app.Bitrix.Faults.Set("oauth:app.info", PortalSimulator.Fault.Answer(new JsonObject
        {
            ["result"] = new JsonObject
            {
                ["client_id"] = app.Bitrix.Options.ClientId,
                ["user_id"] = 2,
                ["install"] = new JsonObject { ["member_id"] = app.Portal.MemberId, ["client_endpoint"] = "http://localhost:1/rest/" },
            },
        }.ToJsonString()));

        using var refused = await RenewAsync(app, session, app.Portal.IssueTokens(2).Access);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal("portalNotAllowed", await Service.CodeAsync(refused));
    }

    [Fact]
    public async Task A_silent_OAuth_server_is_no_refusal()
    {
        await using var app = await StartInstalledAsync();
        var session = await app.OpenAsync("REST_APP_URI", 2);
        app.Bitrix.Faults.Set("oauth:app.info", PortalSimulator.Fault.Hang());
        using var answer = await RenewAsync(app, session, app.Portal.IssueTokens(2).Access);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }

    [Fact]
    public async Task Wrong_tokens_are_asked_about_so_often_and_no_more()
    {
        await using var app = await StartInstalledAsync();
        var session = await app.OpenAsync("REST_APP_URI", 2);
        app.Bitrix.OAuth.Calls.Clear();
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 310; i++)
        {
            using var answer = await RenewAsync(app, session, $"{i:x70}");
            statuses.Add(answer.StatusCode);
        }

        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests], statuses.Distinct());
        Assert.Equal(300, app.Bitrix.OAuth.Calls.Count);
    }

    private static Task<HttpResponseMessage> RenewAsync(OwnApp app, string session, string token) =>
        app.AskAsync(HttpMethod.Post, "/api/session", session, new JsonObject { ["accessToken"] = token });
}
