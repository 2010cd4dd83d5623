using System.Net;
using Bitrix24Placements.Doctor;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Doctor;

/// <summary>Worker pages that say that they run. Nobody vouches for what they say.</summary>
public sealed class HeartbeatTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_apps_page_shows_what_browsers_say_after_a_restart_too()
    {
        var service = await Service.StartInstalledAsync();
        var memberId = service.Portal.MemberId;
        (await service.WorkerAsync()).Dispose();
        await SayAsync(service, memberId.ToUpperInvariant(), "250");
        await SayAsync(service, memberId, "750.5");
        Assert.Contains("a sample of 2 within 24 hours: the frame took 0.5 s on average, 0.8 s at most",
            await AppPageAsync(service), StringComparison.Ordinal);

        await service.StopAsync();
        await using var next = await Service.StartAsync(bitrix: service.Bitrix, folder: service.Folder);
        Assert.Contains("a sample of 2 within 24 hours", await AppPageAsync(next), StringComparison.Ordinal);
        await next.StopAsync();
        await service.DisposeAsync();
    }

    [Fact]
    public async Task Made_up_portals_and_made_up_times_take_no_row_and_learn_nothing()
    {
        await using var service = await Service.StartInstalledAsync();
        (await service.WorkerAsync()).Dispose();
        var unknown = new string('a', 32);
        foreach (var (memberId, load) in new[] { (unknown, "100"), (service.Portal.MemberId, "-5"), (service.Portal.MemberId, "1e300") })
            Assert.Equal(HttpStatusCode.NoContent, await SayAsync(service, memberId, load));
        Assert.Equal(0, (await service.Get<Heartbeats>().SumAsync(new(service.Portal.MemberId), Token)).Loads);
        Assert.Equal(0, (await service.Get<Heartbeats>().SumAsync(new(unknown), Token)).Loads);
    }

    [Fact]
    public async Task Two_apps_on_one_portal_have_heartbeats_of_their_own()
    {
        const string clientId = "local.second.1";
        var secret = new string('s', 50);
        await using var service = await Service.StartInstalledAsync(new()
        {
            ["Bitrix24:Apps:second:ClientId"] = clientId,
            ["Bitrix24:Apps:second:ClientSecret"] = secret,
        });
        var second = service.Portal.AddApp(clientId, secret);
        var fields = service.Portal.InstallFields(1, handler: new Uri(service.Url, "/install").AbsoluteUri, app: second);
        (await service.PostAsync(fields, "application/json")).Dispose();
        (await service.WorkerAsync()).Dispose();

        await SayAsync(service, service.Portal.MemberId, "100");
        foreach (var load in new[] { "200", "6000" })
            await SayAsync(service, service.Portal.MemberId, load, clientId);
        await SayAsync(service, service.Portal.MemberId, "300", "local.of.nobody");

        var heartbeats = service.Get<Heartbeats>();
        // From memory, and from the database.
        for (var i = 0; i < 2; i++)
        {
            var (one, other) = (await heartbeats.SumAsync(new(service.Portal.MemberId), Token),
                await heartbeats.SumAsync(new(service.Portal.MemberId, "second"), Token));
            Assert.Equal((1, 100, 0), (one.Loads, one.WorstMilliseconds, one.Slow));
            Assert.Equal((2, 6000, 1), (other.Loads, other.WorstMilliseconds, other.Slow));
        }
    }

    [Fact]
    public async Task Nobody_makes_more_of_a_portal_than_its_share()
    {
        await using var service = await Service.StartInstalledAsync();
        (await service.WorkerAsync()).Dispose();
        var heartbeats = service.Get<Heartbeats>();
        for (var i = 0; i < 10_000; i++)
            heartbeats.Add(service.Portal.MemberId, service.Portal.App.ClientId, TimeSpan.FromSeconds(1));
        Assert.InRange((await heartbeats.SumAsync(new(service.Portal.MemberId), Token)).Loads, 1, 4_000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{\"memberId\":\"x\",\"app\":\"a\",\"loadMs\":1}")]
    [InlineData("{\"memberId\":\"da45a03b265edd8787f8a258d793cc5d\",\"loadMs\":1}")]
    [InlineData("{\"memberId\":\"da45a03b265edd8787f8a258d793cc5d\",\"app\":\"a\",\"loadMs\":\"soon\"}")]
    public async Task What_is_no_heartbeat_is_400(string body)
    {
        await using var service = await Service.StartAsync();
        using var answer = await service.Http.PostAsync("/api/heartbeat", new StringContent(body), Token);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_heartbeat_leaves_no_line_in_the_log()
    {
        await using var service = await Service.StartInstalledAsync();
        (await service.WorkerAsync()).Dispose();
        var before = service.Logs.Count;
        await SayAsync(service, service.Portal.MemberId, "250");
        Assert.DoesNotContain(service.Logs.Skip(before), static l => l.Contains("eartbeat", StringComparison.Ordinal));
    }

    private static async Task<HttpStatusCode> SayAsync(Service service, string memberId, string load, string? clientId = null)
    {
        using var answer = await service.Http.PostAsync("/api/heartbeat",
            new StringContent(
                $$"""{"memberId":"{{memberId}}","app":"{{clientId ?? service.Portal.App.ClientId}}","loadMs":{{load}}}"""), Token);
        return answer.StatusCode;
    }

    private static async Task<string> AppPageAsync(Service service)
    {
        using var answer = await service.AppPageAsync();
        return await answer.Content.ReadAsStringAsync(Token);
    }
}
