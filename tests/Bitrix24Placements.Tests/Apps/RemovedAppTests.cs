using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Apps;

/// <summary><c>app remove</c> ends an app here, whatever of it is still in memory, and leaves its neighbour on the portal alone.</summary>
public sealed class RemovedAppTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_of_it_is_served_from_memory()
    {
        await using var apps = await TwoApps.StartAsync();
        var link = apps.Launch(Steps.Link, apps.Second);
        Assert.Equal(HttpStatusCode.OK, await TwoApps.StatusAsync(apps.Service.PostAsync(link)));

        await apps.Apps.RemoveAsync(TwoApps.Name, Token);

        Assert.Equal(HttpStatusCode.Forbidden, await TwoApps.StatusAsync(apps.Service.PostAsync(link)));
        foreach (var (app, status) in new[] { (apps.Second, HttpStatusCode.Forbidden), (apps.Portal.App, HttpStatusCode.OK) })
        {
            Assert.Equal(status, await apps.WorkerAsync(app));
            var told = apps.Portal.EventFields("ONCRMDEALADD", app: app);
            Assert.Equal(status, await TwoApps.StatusAsync(apps.Service.PostAsync("/events", told)));
        }
    }

    [Fact]
    public async Task Its_pages_sessions_end_and_come_back_with_it()
    {
        await using var apps = await TwoApps.StartAsync();
        var session = await apps.SessionAsync(apps.Second);
        Assert.Equal(HttpStatusCode.OK, await LinkAsync());

        await apps.Apps.RemoveAsync(TwoApps.Name, Token);
        Assert.Equal(HttpStatusCode.Unauthorized, await LinkAsync());

        await apps.Apps.AddAsync(new(TwoApps.Name, TwoApps.ClientId, new(TwoApps.Keys), null), Token);
        Assert.Equal(HttpStatusCode.OK, await LinkAsync());

        Task<HttpStatusCode> LinkAsync() => TwoApps.StatusAsync(
            apps.Service.ApiAsync("/api/links", new JsonObject { ["params"] = new JsonObject() }, session));
    }

    [Fact]
    public async Task A_backend_need_not_choose_any_more()
    {
        await using var apps = await TwoApps.StartAsync();
        Assert.Equal(HttpStatusCode.Conflict, await apps.SignalAsync(null));

        await apps.Apps.RemoveAsync(TwoApps.Name, Token);

        Assert.Equal(HttpStatusCode.Accepted, await apps.SignalAsync(null));
        Assert.Equal(HttpStatusCode.NotFound, await apps.SignalAsync(TwoApps.Name));
    }
}
