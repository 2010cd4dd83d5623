using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Signals;

/// <summary>Which portals and apps a backend's key is for, and which app is meant.</summary>
public sealed class KeyTests
{
    private const string Limited = "a-key-for-one-portal-and-one-app-alone";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_short_key_stops_the_start_with_one_line_that_names_it()
    {
        var start = await FailedStart.RunAsync(new() { ["Signals__Keys__crm__Key"] = "too-short" });

        Assert.NotEqual(0, start.ExitCode);
        Assert.Contains("Signals:Keys:crm:Key has to have at least 32 characters", start.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task To_a_limited_key_any_other_portal_and_app_is_unknown()
    {
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        await using var service = await Service.StartAsync(
            new() { ["Signals:Keys:crm:Key"] = Limited, ["Signals:Keys:crm:Portals"] = bitrix.Portals[0].MemberId, ["Signals:Keys:crm:Apps"] = "default" }, bitrix);
        await service.InstallAndFinishAsync();
        var other = await bitrix.AddPortalAsync(Token);
        await service.InstallAsync(other);
        other.FinishInstall();

        Assert.Equal(HttpStatusCode.Accepted, await SignalAsync(service, service.Portal, Limited));
        Assert.Equal(HttpStatusCode.NotFound, await SignalAsync(service, other, Limited));
        Assert.Equal(HttpStatusCode.NotFound, await SignalAsync(service, service.Portal, Limited, "another"));
        Assert.Equal(HttpStatusCode.Accepted, await SignalAsync(service, other, Service.ApiKey));
    }

    [Fact]
    public async Task Where_a_portal_has_several_apps_one_has_to_be_named()
    {
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        var app = bitrix.Portals[0].AddApp();
        await using var service = await Service.StartAsync(
            new() { ["Bitrix24:Apps:second:ClientId"] = app.ClientId, ["Bitrix24:Apps:second:ClientSecret"] = app.ClientSecret }, bitrix);
        await service.InstallAndFinishAsync();
        using (var second = await service.PostAsync(service.Wizard(app: app), "application/json"))
            Assert.True((bool)(await Service.JsonAsync(second))["finished"]!);

        using (var none = await service.ApiAsync("/api/signals", Signal(service.Portal)))
            await none.AssertRefusedAsync(HttpStatusCode.Conflict, "appRequired");
        Assert.Equal(HttpStatusCode.Accepted, await SignalAsync(service, service.Portal, Service.ApiKey, "second"));
        Assert.Equal(app.ClientId, service.Portal.Calls.Single(c => c.Method == "pull.application.event.add").ClientId);
        Assert.Equal(HttpStatusCode.NotFound, await SignalAsync(service, service.Portal, Service.ApiKey, "third"));
        using var link = await service.ApiAsync("/api/links", new JsonObject { ["app"] = "second", ["params"] = new JsonObject { ["docId"] = "42" } });
        Assert.Equal($"/marketplace/view/{app.ClientId}/?params[docId]=42", (string?)(await Service.JsonAsync(link))["path"]);
    }

    [Fact]
    public async Task A_link_that_grows_too_long_is_noticed_while_it_is_made()
    {
        await using var service = await Service.StartInstalledAsync();
        var bomb = new JsonObject { [new string(' ', 2_000)] = new JsonArray([.. Enumerable.Range(0, 4_000).Select(static _ => JsonValue.Create(0))]) };
        var before = GC.GetTotalAllocatedBytes();

        using var answer = await service.ApiAsync("/api/links", new JsonObject { ["params"] = bomb });

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await Service.JsonAsync(answer);
        Assert.NotNull(problem["errors"]!["params"]);
        Assert.DoesNotContain("Bitrix24", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 64 * 1024 * 1024);
    }

    [Fact]
    public async Task A_page_session_has_a_limit_as_a_key_has()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Signals:PerMinute"] = "3" });
        using var page = await service.AppPageAsync();
        var text = await page.TextAsync();
        const string Before = "data-session=\"";
        var at = text.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        var session = text[at..text.IndexOf('"', at)];

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 4; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/context");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", session);
            using var answer = await service.Http.SendAsync(request, Token);
            statuses.Add(answer.StatusCode);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], statuses);
    }

    private static JsonObject Signal(SimPortal portal) => new() { ["memberId"] = portal.MemberId, ["command"] = "test" };

    private static async Task<HttpStatusCode> SignalAsync(Service service, SimPortal portal, string key, string? app = null)
    {
        var signal = Signal(portal);
        if (app is not null)
            signal["app"] = app;
        using var answer = await service.ApiAsync("/api/signals", signal, key);
        return answer.StatusCode;
    }
}
