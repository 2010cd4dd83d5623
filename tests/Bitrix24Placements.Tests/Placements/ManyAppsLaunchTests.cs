using System.Net;
using Bitrix24Placements.Apps;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>Two apps of one service on one portal: a launch belongs to the app whose token it is.</summary>
public sealed class ManyAppsLaunchTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<(OwnApp App, SimApp Second)> StartAsync()
    {
        var app = await OwnApp.StartAsync(
            static app =>
            {
                app.MapBitrix24Placements();
                app.MapRestAppUri(static (RestAppUriRequest request, DeepLinks links) =>
                    Results.Text($"{request.App.Name} {request.App.ClientId} {links.Path(app: request.App.Name)} {request.Session}"));
                app.MapGet("/me", static (PageSession session) => session.App.Name).RequirePageSession();
            },
            settings: new() { ["Bitrix24:Apps:second:ClientId"] = "local.second.1", ["Bitrix24:Apps:second:ClientSecret"] = new string('s', 50) });
        var second = app.Portal.AddApp("local.second.1", new string('s', 50));
        await app.InstallAsync();
        await app.InstallAsync(app: second);
        return (app, second);
    }

    [Fact]
    public async Task Persons_are_served_by_the_app_of_their_token()
    {
        var (app, second) = await StartAsync();
        await using var disposed = app;
        foreach (var (name, theirs) in new[] { ("default", app.Portal.App), ("second", second) })
        {
            using var page = await app.LaunchAsync("REST_APP_URI", 2, path: "/placements/rest-app-uri", app: theirs);
            var told = (await page.Content.ReadAsStringAsync(Token)).Split(' ');
            Assert.Equal([name, theirs.ClientId, $"/marketplace/view/{theirs.ClientId}/"], told[..3]);
            using var me = await app.AskAsync(HttpMethod.Get, "/me", told[3]);
            Assert.Equal(name, await me.Content.ReadAsStringAsync(Token));
        }
    }

    [Fact]
    public async Task An_app_that_is_told_anothers_application_token_gets_nothing_that_is_the_others()
    {
        var (app, second) = await StartAsync();
        await using var disposed = app;
        var others = app.Portal.LaunchFields("PAGE_BACKGROUND_WORKER").Body["APPLICATION_TOKEN"];
        var wizard = app.Portal.InstallFields(handler: new Uri(app.Url, "/install").AbsoluteUri, app: second);
        wizard.Body["APPLICATION_TOKEN"] = others;

        (await app.PostAsync(wizard, "application/json")).Dispose();
        (await app.LaunchAsync("REST_APP_URI", path: "/placements/rest-app-uri", app: second, change: f => f.Body["APPLICATION_TOKEN"] = others)).Dispose();

        foreach (var theirs in new[] { app.Portal.App, second })
        {
            using var worker = await app.LaunchAsync("PAGE_BACKGROUND_WORKER", path: "/placements/page-background-worker", app: theirs);
            Assert.Contains($"data-app=\"{theirs.ClientId}\"", await worker.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_worker_is_that_of_the_application_token()
    {
        var (app, second) = await StartAsync();
        await using var disposed = app;
        foreach (var theirs in new[] { app.Portal.App, second })
        {
            using var worker = await app.LaunchAsync("PAGE_BACKGROUND_WORKER", path: "/placements/page-background-worker", app: theirs);
            Assert.Contains($"data-app=\"{theirs.ClientId}\"", await worker.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }

        using var neither = await app.LaunchAsync("PAGE_BACKGROUND_WORKER", path: "/placements/page-background-worker", change: static f => f.Body["APPLICATION_TOKEN"] = "neither");
        Assert.Equal(HttpStatusCode.Forbidden, neither.StatusCode);
    }

    [Fact]
    public async Task Of_an_app_that_was_removed_neither_worker_nor_person_is_served_any_more()
    {
        await using var app = await OwnApp.StartAsync(static app => app.MapBitrix24Placements());
        var apps = app.Get<AppRegistry>();
        await apps.AddAsync(new("leaving", "local.leaving.1", new(new string('s', 50)), null), Token);
        var leaving = app.Portal.AddApp("local.leaving.1", new string('s', 50));
        await app.InstallAsync();
        await app.InstallAsync(app: leaving);
        Task<HttpResponseMessage> WorkerAsync(SimApp of) => app.LaunchAsync("PAGE_BACKGROUND_WORKER", path: "/placements/page-background-worker", app: of);
        using (var before = await WorkerAsync(leaving))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        await apps.RemoveAsync("leaving", Token);

        using var worker = await WorkerAsync(leaving);
        Assert.Equal(HttpStatusCode.Forbidden, worker.StatusCode);
        using var person = await app.LaunchAsync("REST_APP_URI", 2, path: "/placements/rest-app-uri", app: leaving);
        Assert.Equal(HttpStatusCode.Forbidden, person.StatusCode);
        using var others = await WorkerAsync(app.Portal.App);
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
    }

    [Fact]
    public async Task One_apps_token_with_the_others_application_token_is_refused()
    {
        var (app, second) = await StartAsync();
        await using var disposed = app;
        foreach (var (mine, others) in new[] { (app.Portal.App, second), (second, app.Portal.App) })
        {
            // Before its token is known, and afterwards.
            var form = app.Portal.LaunchFields("REST_APP_URI", 2, handler: new Uri(app.Url, "/placements/rest-app-uri").AbsoluteUri, app: mine);
            foreach (var (token, status) in new[] { (others.ApplicationToken, HttpStatusCode.Forbidden), (mine.ApplicationToken, HttpStatusCode.OK), (others.ApplicationToken, HttpStatusCode.Forbidden) })
            {
                using var answer = await app.LaunchAsync("REST_APP_URI", 2, path: "/placements/rest-app-uri", app: mine, change: f =>
                {
                    f.Body["AUTH_ID"] = form.AccessToken;
                    f.Body["APPLICATION_TOKEN"] = token;
                });
                Assert.Equal(status, answer.StatusCode);
            }
        }
    }
}
