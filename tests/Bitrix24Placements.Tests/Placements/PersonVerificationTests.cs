using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>REST_APP_URI and the app's own page act for a person: whose token it is, says the OAuth server.</summary>
public sealed class PersonVerificationTests
{
    [Fact]
    public async Task Names_the_user_whom_the_OAuth_server_names()
    {
        await using var service = await Service.StartInstalledAsync();
        foreach (var userId in new[] { 1, 2, 3 })
        {
            using var link = await service.LinkAsync(userId: userId, accept: "application/json", change: f => f.Body["USER_ID"] = "99");
            await AssertUserAsync(link, userId);
            using var app = await service.AppPageAsync(userId: userId, accept: "application/json");
            await AssertUserAsync(app, userId);
        }
    }

    [Fact]
    public async Task Refuses_another_portals_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await OtherPortalAsync(service);
        var foreign = other.LaunchFields("REST_APP_URI").AccessToken;

        await AssertRefusedAsync(service, f => f.Body["AUTH_ID"] = foreign);
    }

    [Fact]
    public async Task Refuses_another_apps_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var foreign = service.Portal.LaunchFields("REST_APP_URI", handler: new Uri(service.Url, "/placements/rest-app-uri").AbsoluteUri, app: service.Portal.AddOtherApp());

        await AssertRefusedAsync(service, f => f.Body["AUTH_ID"] = foreign.AccessToken);
        await AssertRefusedAsync(service, f =>
        {
            f.Body["AUTH_ID"] = foreign.AccessToken;
            f.Body["APPLICATION_TOKEN"] = foreign.Body["APPLICATION_TOKEN"];
        });
    }

    [Fact]
    public async Task Refuses_expired_revoked_invented_and_refresh_tokens()
    {
        await using var service = await Service.StartInstalledAsync();
        await AssertRefusedAsync(service, _ => service.Portal.ExpireTokens());
        await AssertRefusedAsync(service, f => f.Body["AUTH_ID"] = "invented");
        await AssertRefusedAsync(service, f => f.Body["AUTH_ID"] = f.RefreshToken);
        await AssertRefusedAsync(service, _ => service.Portal.RevokeAll());
    }

    [Fact]
    public async Task Refuses_a_confirmed_token_with_another_member_id()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await OtherPortalAsync(service);
        var confirmed = await ConfirmedFormAsync(service);

        await AssertRefusedAsync(service, f =>
        {
            f.Body["AUTH_ID"] = confirmed.AccessToken;
            f.Body["APPLICATION_TOKEN"] = other.App.ApplicationToken;
        }, other);
    }

    [Fact]
    public async Task Refuses_a_confirmed_token_with_another_application_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var confirmed = await ConfirmedFormAsync(service, userId: 2);
        confirmed.Body["APPLICATION_TOKEN"] = "another";

        using var answer = await service.PostAsync(confirmed, "application/json");
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Asks_once_for_a_confirmed_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var form = service.Portal.LaunchFields("REST_APP_URI", 2);
        var before = service.Bitrix.OAuth.Calls.Count;
        for (var i = 0; i < 5; i++)
        {
            using var answer = await service.PostAsync(form);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Equal(before + 1, service.Bitrix.OAuth.Calls.Count);
    }

    [Fact]
    public async Task Forgets_confirmed_tokens_when_the_portal_goes()
    {
        await using var service = await Service.StartInstalledAsync();
        var confirmed = await ConfirmedFormAsync(service);

        await service.Portal.UninstallAsync(clean: true, TestContext.Current.CancellationToken);

        await service.EventuallyAsync(async () => (await service.PostAsync(confirmed)).StatusCode == HttpStatusCode.Forbidden, "the token is refused");
        await service.Portal.InstallAsync(cancellationToken: TestContext.Current.CancellationToken);
        await service.InstallAsync();
        confirmed.Body["APPLICATION_TOKEN"] = service.Portal.App.ApplicationToken;
        using var again = await service.PostAsync(confirmed, "application/json");
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
    }

    [Theory]
    [InlineData("REST_APP_URI")]
    [InlineData("DEFAULT")]
    public async Task Answers_503_within_three_seconds_and_a_half_while_the_OAuth_server_is_silent(string placement)
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Hang());
        foreach (var old in new[] { false, true })
        {
            service.Portal.Quirks.OldPortal = old;
            // The machine may be busy with something else: the best of several.
            var seconds = double.MaxValue;
            for (var i = 0; i < 3 && seconds > 3.5; i++)
            {
                var started = Stopwatch.StartNew();
                using var answer = placement == "DEFAULT" ? await service.AppPageAsync(accept: "application/problem+json") : await service.LinkAsync(accept: "application/problem+json");
                seconds = started.Elapsed.TotalSeconds;
                Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
                Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
                Assert.Equal("bitrix24Unavailable", await Service.CodeAsync(answer));
            }

            Assert.InRange(seconds, 0, 3.5);
        }

        service.Bitrix.Faults.Clear();
        using var later = await service.LinkAsync();
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }

    [Fact]
    public async Task Never_contacts_a_SERVER_ENDPOINT_that_is_not_configured()
    {
        await using var service = await Service.StartInstalledAsync();
        using var elsewhere = new SilentHost();
        var configured = service.Bitrix.OAuth.Domain;
        string[] endpoints =
        [
            elsewhere.Url + "/rest/", $"http://{configured}@127.0.0.1:{elsewhere.Port}/rest/", $"http://127.0.0.1:{elsewhere.Port}/?{configured}", $"http://127.0.0.1:{elsewhere.Port}#{configured}",
            $"//127.0.0.1:{elsewhere.Port}/rest/", $"http://{configured}\\@127.0.0.1:{elsewhere.Port}/", $"https://127.0.0.1:{elsewhere.Port}/", "http://", "nonsense", "file:///etc/passwd", "", new string('a', 5000),
        ];
        foreach (var endpoint in endpoints)
        {
            using var answer = await service.LinkAsync(userId: 2, accept: "application/json", change: f => f.Body["SERVER_ENDPOINT"] = endpoint);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.False(elsewhere.WasContacted);
    }

    [Fact]
    public async Task Refuses_to_confirm_without_the_apps_keys()
    {
        await using var first = await Service.StartInstalledAsync();
        await first.StopAsync();
        await using var second = await Service.StartAsync(new() { ["Bitrix24:ClientId"] = null, ["Bitrix24:ClientSecret"] = null }, first.Bitrix, first.Folder);

        using var link = await second.LinkAsync(accept: "application/json");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, link.StatusCode);
        Assert.Equal("notConfigured", await Service.CodeAsync(link));
        using var worker = await second.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
    }

    [Fact]
    public async Task Refuses_a_portal_that_is_not_allowed_any_more()
    {
        await using var first = await Service.StartInstalledAsync();
        string session;
        using (var page = await first.LinkAsync())
            session = System.Text.RegularExpressions.Regex.Match(await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), "data-session=\"([^\"]+)\"").Groups[1].Value;
        using (var link = await first.ApiAsync("/api/links", new JsonObject { ["params"] = new JsonObject() }, session))
            Assert.Equal(HttpStatusCode.OK, link.StatusCode);
        await first.StopAsync();
        await using var second = await Service.StartAsync(new() { ["Bitrix24:AllowedPortals:0"] = "*.bitrix24.com" }, first.Bitrix, first.Folder);

        foreach (var answer in new[] { await second.LinkAsync(accept: "application/json"), await second.WorkerAsync(accept: "application/json"), await second.AppPageAsync(accept: "application/json") })
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Equal("portalNotAllowed", await Service.CodeAsync(answer));
            answer.Dispose();
        }

        using (var link = await second.ApiAsync("/api/links", new JsonObject { ["params"] = new JsonObject() }, session))
            Assert.Equal(HttpStatusCode.Unauthorized, link.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await second.SignalAsync());
        using (var told = await second.PostAsync("/events", second.Portal.EventFields("ONCRMDEALADD")))
            await told.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotAllowed");
    }

    private static async Task<SimPortal> OtherPortalAsync(Service service)
    {
        var other = await service.Bitrix.AddPortalAsync(TestContext.Current.CancellationToken);
        await service.InstallAsync(other);
        return other;
    }

    private static async Task<LaunchForm> ConfirmedFormAsync(Service service, int userId = 1)
    {
        var form = service.Portal.LaunchFields("REST_APP_URI", userId);
        using var answer = await service.PostAsync(form);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return form;
    }

    private static async Task AssertUserAsync(HttpResponseMessage answer, int userId)
    {
        var context = await Service.JsonAsync(answer);
        Assert.Equal(userId, (int?)context["userId"]);
        Assert.Equal("accessToken", (string?)context["verification"]);
    }

    private static async Task AssertRefusedAsync(Service service, Action<LaunchForm> change, SimPortal? portal = null)
    {
        using var link = await service.LinkAsync(portal, accept: "application/json", change: change);
        Assert.Equal(HttpStatusCode.Forbidden, link.StatusCode);
        Assert.Equal("notVerified", await Service.CodeAsync(link));
        using var app = await service.AppPageAsync(portal, accept: "application/json", change: change);
        Assert.Equal(HttpStatusCode.Forbidden, app.StatusCode);
        Assert.Equal("notVerified", await Service.CodeAsync(app));
    }
}
