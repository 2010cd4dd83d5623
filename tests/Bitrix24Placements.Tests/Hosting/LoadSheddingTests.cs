using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>Beyond its limits the service says so at once, and worker pages are the last to hear it.</summary>
public sealed class LoadSheddingTests
{
    private const string Worker = "/placements/page-background-worker";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_beyond_the_limit_are_refused_at_once_worker_loads_and_health_are_not()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentRequests"] = "2" });
        var (waiting, goOn) = await WaitingAsync(service, 2);

        using var third = await service.LinkAsync(accept: "application/json");
        using var home = await service.Http.GetAsync("/", Token);
        using var worker = await service.WorkerAsync();
        using var live = await service.Http.GetAsync("/health/live", Token);
        using var ready = await service.Http.GetAsync("/health/ready", Token);

        await AssertOverloadedAsync(third);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, home.StatusCode);
        Assert.All([worker, live, ready], static a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        goOn.SetResult();
        await waiting;
        using var again = await service.LinkAsync();
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task Worker_loads_have_a_limit_of_their_own()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentWorkerLoads"] = "1" });
        var slow = new List<RawConnection>();
        HttpResponseMessage? shed = null;
        await service.EventuallyAsync(async () =>
        {
            // The first may come just when the load beside it is being served, and be shed itself.
            slow.Add(new RawConnection(service.Url));
            await slow[^1].SendAsync($"POST {Worker} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na=b");
            return (shed = await service.WorkerAsync(accept: "application/json")).StatusCode != HttpStatusCode.OK;
        }, "a slow one is being served");

        await AssertOverloadedAsync(shed!);
        using var link = await service.LinkAsync();
        Assert.Equal(HttpStatusCode.OK, link.StatusCode);
        slow.ForEach(static s => s.Dispose());
        await service.EventuallyAsync(async () => (await service.WorkerAsync()).StatusCode == HttpStatusCode.OK, "there is room again");
    }

    [Fact]
    public async Task A_full_queue_of_confirmations_is_told_at_once()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentConfirmations"] = "1" });
        var (waiting, goOn) = await WaitingAsync(service, 1);
        var others = new[] { service.LinkAsync(userId: 2, accept: "application/json"), service.LinkAsync(userId: 3, accept: "application/json") };

        var shed = await Task.WhenAny(others);

        await AssertOverloadedAsync(await shed);
        goOn.SetResult();
        await waiting;
        using var served = await others.Single(other => other != shed);
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
    }

    /// <summary>Launches that wait for the OAuth server, until the test lets it answer.</summary>
    private static async Task<(Task Waiting, TaskCompletionSource GoOn)> WaitingAsync(Service service, int count)
    {
        var goOn = new TaskCompletionSource();
        service.Bitrix.OAuth.Calls.Clear();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Until(goOn.Task));
        var waiting = Task.WhenAll(Enumerable.Range(0, count).Select(_ => service.LinkAsync()));
        await service.Bitrix.OAuth.Calls.WaitAsync(static c => c.Kind == "app.info", count, Token);
        return (waiting, goOn);
    }

    private static async Task AssertOverloadedAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("overloaded", await Service.CodeAsync(answer));
        Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
    }
}
