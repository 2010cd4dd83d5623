using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Signals;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>What is believed of a person ends by the clock.</summary>
public sealed class ExpiryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_confirmed_token_is_remembered_until_it_expires_and_asked_about_after_that()
    {
        var time = new ShiftedTime();
        await using var service = await Service.StartAsync(services: time.Register);
        await service.InstallAsync();
        LaunchForm? form = null;
        (await service.LinkAsync(userId: 2, change: f => form = f)).Dispose();
        service.Bitrix.OAuth.Calls.Clear();

        time.Shift(TimeSpan.FromMinutes(59));
        (await service.PostAsync(form!)).Dispose();
        Assert.Empty(service.Bitrix.OAuth.Calls);

        time.Shift(TimeSpan.FromMinutes(2));
        service.Portal.ExpireTokens();
        using var late = await service.PostAsync(form!, "application/json");
        Assert.Equal(HttpStatusCode.Forbidden, late.StatusCode);
        Assert.Single(service.Bitrix.OAuth.Calls, static c => c.Kind == "app.info");
    }

    [Fact]
    public async Task A_pages_session_ends_when_its_users_token_would()
    {
        var time = new ShiftedTime();
        await using var service = await Service.StartAsync(services: time.Register);
        await service.InstallAsync();
        var session = await SessionTests.OpenAsync(service, 2);

        time.Shift(TimeSpan.FromMinutes(59));
        Assert.Equal(HttpStatusCode.OK, await ContextAsync(service, session));
        time.Shift(TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.Unauthorized, await ContextAsync(service, session));
    }

    [Fact]
    public async Task Several_silent_OAuth_servers_share_the_three_seconds()
    {
        await using var installed = await Service.StartInstalledAsync();
        await installed.StopAsync();
        using var first = new SilentHost();
        using var second = new SilentHost();
        using var third = new SilentHost();
        await using var service = await Service.StartAsync(
            new() { ["Bitrix24:OAuthServers:0"] = first.Url, ["Bitrix24:OAuthServers:1"] = second.Url, ["Bitrix24:OAuthServers:2"] = third.Url }, installed.Bitrix, installed.Folder);
        var started = Stopwatch.StartNew();

        using var link = await service.LinkAsync(accept: "application/json");

        TestContext.Current.TestOutputHelper?.WriteLine($"Three silent OAuth servers: {started.ElapsedMilliseconds} ms");
        // A timer goes by a coarser clock than a stopwatch, and may be some milliseconds before it.
        Assert.InRange(started.ElapsedMilliseconds, 2450, 3900);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, link.StatusCode);
        Assert.Equal("bitrix24Unavailable", await Service.CodeAsync(link));
        Assert.All([first, second, third], static host => Assert.True(host.WasContacted));
    }

    private static async Task<HttpStatusCode> ContextAsync(Service service, string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/context");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", session);
        using var answer = await service.Http.SendAsync(request, Token);
        return answer.StatusCode;
    }
}
