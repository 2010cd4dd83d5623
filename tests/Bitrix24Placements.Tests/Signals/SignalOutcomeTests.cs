using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Signals;

/// <summary>What a backend is told when Bitrix24 refuses, stumbles or is silent.</summary>
public sealed class SignalOutcomeTests
{
    private const string Method = "pull.application.event.add";

    [Theory]
    [InlineData("ACCESS_DENIED", 403)]
    [InlineData("insufficient_scope", 403)]
    [InlineData("USER_ID_ACCESS_ERROR", 200)]
    [InlineData("INTERNAL_SERVER_ERROR", 500)]
    public async Task Tells_the_code_with_which_Bitrix24_refused(string code, int status)
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("rest:" + Method, Fault.Error(code, status));
        using var answer = await SendAsync(service);
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        var problem = await Service.JsonAsync(answer);
        Assert.Equal("bitrix24Refused", (string?)problem["code"]);
        Assert.Contains(code, problem.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(1, Sent(service));
    }

    [Fact]
    public async Task Does_not_repeat_a_signal_whose_outcome_is_unknown()
    {
        await using var service = await Service.StartInstalledAsync();
        var large = Fault.Answer("{\"result\":true,\"more\":\"" + new string('x', 64 * 1024) + "\"}", contentType: "application/json");
        foreach (var fault in new[] { Fault.DropAfter(), Fault.Garbage(), Fault.Garbage(502), large })
        {
            var before = Sent(service);
            service.Bitrix.Faults.Set("rest:" + Method, fault);
            using var answer = await SendAsync(service);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal("bitrix24Unavailable", await Service.CodeAsync(answer));
            Assert.Equal(before + 1, Sent(service));
        }
    }

    [Fact]
    public async Task Refreshes_an_expired_token_and_sends_the_signal_once()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.ExpireTokens();
        using var answer = await SendAsync(service);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Single(service.Portal.Push.Messages);
        Assert.Equal(1, service.Bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task Is_not_delivered_with_dead_tokens_or_without_keys()
    {
        await using var first = await Service.StartInstalledAsync();
        await first.StopAsync();
        await using (var keyless = await Service.StartAsync(new() { ["Bitrix24:ClientId"] = null, ["Bitrix24:ClientSecret"] = null }, first.Bitrix, first.Folder))
        {
            first.Portal.ExpireTokens();
            using var unconfigured = await SendAsync(keyless);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, unconfigured.StatusCode);
            Assert.Equal("notConfigured", await Service.CodeAsync(unconfigured));
        }

        first.Portal.RevokeAll();
        await using var again = await Service.StartAsync(null, first.Bitrix, first.Folder);
        using var dead = await SendAsync(again);
        Assert.Equal(HttpStatusCode.BadGateway, dead.StatusCode);
        Assert.Contains("invalid_token", await dead.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Empty(first.Portal.Push.Messages);
    }

    [Fact]
    public async Task Is_404_after_the_uninstallation()
    {
        await using var service = await Service.StartInstalledAsync();
        await service.Portal.UninstallAsync(clean: false, TestContext.Current.CancellationToken);
        await service.EventuallyAsync(async () => (await SendAsync(service)).StatusCode == HttpStatusCode.NotFound, "the portal is unknown");
    }

    [Fact]
    public async Task A_backend_that_waits_for_one_portal_too_often_is_told_429_and_other_portals_are_not()
    {
        // A thirty-second of the places for a portal, of which signals have four times as many as others: four.
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentRequests"] = "32" });
        var other = await service.Bitrix.AddPortalAsync(TestContext.Current.CancellationToken);
        await service.InstallAsync(other);
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Next("rest:" + Method, Fault.Until(goOn.Task), times: 4);
        var before = Sent(service);
        var waiting = Enumerable.Range(0, 4).Select(_ => SendAsync(service)).ToList();
        await service.EventuallyAsync(() => Sent(service) == before + 4, "all wait for the portal");

        using var refused = await SendAsync(service);
        using var others = await service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = other.MemberId, ["command"] = "ping" });

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("tooManyRequests", await Service.CodeAsync(refused));
        Assert.True(refused.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Equal(HttpStatusCode.Accepted, others.StatusCode);
        goOn.SetResult();
        Assert.All(await Task.WhenAll(waiting), static a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
    }

    [Fact]
    public async Task Each_key_has_its_own_limit()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Signals:PerMinute"] = "2", ["Signals:ApiKeys:1"] = "another-key-of-the-users-own-backend" });
        for (var i = 0; i < 2; i++)
        {
            using var accepted = await SendAsync(service);
            Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        }

        using var limited = await SendAsync(service);
        Assert.Equal(HttpStatusCode.TooManyRequests, limited.StatusCode);
        Assert.Equal("tooManyRequests", await Service.CodeAsync(limited));
        Assert.True(limited.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        using var other = await SendAsync(service, "another-key-of-the-users-own-backend");
        Assert.Equal(HttpStatusCode.Accepted, other.StatusCode);
    }

    [Fact]
    public async Task Every_key_is_refused_where_none_is_configured()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Signals:ApiKeys:0"] = "" });
        foreach (var key in new[] { Service.ApiKey, "", " ", null })
        {
            using var answer = await SendAsync(service, key);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    private static int Sent(Service service) => service.Portal.Calls.Count(c => c.Method == Method);

    private static Task<HttpResponseMessage> SendAsync(Service service, string? key = Service.ApiKey) =>
        service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = service.Portal.MemberId, ["command"] = "ping", ["params"] = new JsonObject { ["a"] = 1 } }, key);
}
