using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Signals;

/// <summary><c>GET /api/context</c> with the session that stands in a page.</summary>
public sealed partial class SessionTests(SharedInstalledService shared)
{
    private Service Service => shared.Service;

    /// <summary>Opens the page behind a link, and takes its session.</summary>
    public static async Task<string> OpenAsync(Service service, int userId = 1, JsonObject? options = null, SimPortal? portal = null)
    {
        using var page = await service.LinkAsync(portal, userId, options: options);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        return Session().Match(await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Groups[1].Value;
    }

    [Fact]
    public async Task Opens_the_context_of_that_very_page()
    {
        var options = new JsonObject { ["docId"] = "42", ["text"] = "Ж & <b>" };
        using var direct = await Service.LinkAsync(userId: 2, accept: "application/json", options: options);
        var expected = await Service.JsonAsync(direct);

        using var answer = await ContextAsync(Service, await OpenAsync(Service, 2, options));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl?.NoStore);
        var context = await Service.JsonAsync(answer);
        expected.Remove("applicationSid");
        context.Remove("applicationSid");
        Assert.True(JsonNode.DeepEquals(expected, context), context.ToJsonString());
    }

    [Fact]
    public async Task Opens_large_contexts_too()
    {
        var options = new JsonObject { ["text"] = new string('x', 20_000) };
        using var answer = await ContextAsync(Service, await OpenAsync(Service, 2, options));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(JsonNode.DeepEquals(options, (await Service.JsonAsync(answer))["options"]!["parameters"]));
    }

    [Fact]
    public async Task Says_so_where_a_context_is_too_large_for_a_header()
    {
        var noise = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(30_000));
        using var answer = await ContextAsync(Service, await OpenAsync(Service, 2, new() { ["noise"] = noise }));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("contextTooLarge", await Service.CodeAsync(answer));
    }

    [Fact]
    public async Task Opens_neither_signals_nor_anything_of_the_backends()
    {
        var session = await OpenAsync(Service);
        using var signal = await Service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = Service.Portal.MemberId, ["command"] = "fromSession" }, session);
        Assert.Equal(HttpStatusCode.Unauthorized, signal.StatusCode);
        Assert.DoesNotContain(Service.Portal.Push.Messages, m => m.Command == "fromSession");
    }

    [Fact]
    public async Task Is_refused_when_it_is_none_or_altered()
    {
        var session = await OpenAsync(Service);
        var altered = session[..^20] + (session[^20] == 'A' ? 'B' : 'A') + session[^19..];
        foreach (var token in new[] { altered, session + "AAAA", session[..^4], Service.ApiKey, "x", "!!!", "", new string('A', 4000), Service.Portal.LaunchFields("REST_APP_URI").AccessToken })
        {
            using var answer = await ContextAsync(Service, token);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("unauthorized", await Service.CodeAsync(answer));
        }
    }

    [Fact]
    public async Task Ends_with_the_installation_and_does_not_come_back_with_the_next()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await service.Bitrix.AddPortalAsync(TestContext.Current.CancellationToken);
        await service.InstallAsync(other);
        var (ended, others) = (await OpenAsync(service), await OpenAsync(service, portal: other));

        await service.Portal.UninstallAsync(clean: true, TestContext.Current.CancellationToken);

        await service.EventuallyAsync(async () => (await ContextAsync(service, ended)).StatusCode == HttpStatusCode.Unauthorized, "the session has ended");
        await service.Portal.InstallAsync(cancellationToken: TestContext.Current.CancellationToken);
        await service.InstallAsync();
        using (var still = await ContextAsync(service, ended))
            Assert.Equal(HttpStatusCode.Unauthorized, still.StatusCode);
        using var unaffected = await ContextAsync(service, others);
        Assert.Equal(HttpStatusCode.OK, unaffected.StatusCode);
        Assert.Equal(other.MemberId, (string?)(await Service.JsonAsync(unaffected))["portal"]!["memberId"]);
    }

    [Fact]
    public async Task Ends_with_an_installation_whose_row_is_kept()
    {
        await using var service = await Service.StartInstalledAsync();
        var session = await OpenAsync(service);
        await service.Portal.UninstallAsync(clean: false, TestContext.Current.CancellationToken);
        await service.EventuallyAsync(async () => (await ContextAsync(service, session)).StatusCode == HttpStatusCode.Unauthorized, "the session has ended");
        await service.Portal.InstallAsync(cancellationToken: TestContext.Current.CancellationToken);
        await service.InstallAsync();
        using var still = await ContextAsync(service, session);
        Assert.Equal(HttpStatusCode.Unauthorized, still.StatusCode);
    }

    [Fact]
    public async Task Outlives_a_restart_of_the_service()
    {
        await using var first = await Service.StartInstalledAsync();
        var session = await OpenAsync(first, userId: 2);
        await first.StopAsync();
        await using var second = await Service.StartAsync(null, first.Bitrix, first.Folder);
        using var answer = await ContextAsync(second, session);
        Assert.Equal(2, (int?)(await Service.JsonAsync(answer))["userId"]);
    }

    private static async Task<HttpResponseMessage> ContextAsync(Service service, string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/context");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + session);
        return await service.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    [GeneratedRegex("data-session=\"([^\"]+)\"")]
    private static partial Regex Session();
}
