using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>Two processes on one PostgreSQL, as they are run.</summary>
public sealed class TwoProcessesTests(ThrowawayPostgres postgres)
{
    private const string Worker = "PAGE_BACKGROUND_WORKER";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Started_together_on_an_empty_database_they_share_one_portal_and_end_what_they_have_begun()
    {
        await using var fleet = await (await Fleet.OnPostgreSqlAsync(postgres)).StartAsync();
        Assert.Equal(SchemaInstaller.Newest, await fleet.CountAsync("SELECT COUNT(*) FROM schema_versions"));
        Assert.Equal(1, await fleet.CountAsync("SELECT COUNT(*) FROM data_protection_keys"));
        var portal = await fleet.AddPortalAsync();
        foreach (var instance in fleet.Living)
        {
            using var worker = await instance.WorkerAsync(portal);
            Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        }

        await RefreshTenTimesAsync(fleet, portal);
        await RegisterOnceAsync(fleet, portal);
        await TerminateInARefreshAsync(fleet, portal);
    }

    private static async Task RefreshTenTimesAsync(Fleet fleet, SimPortal portal)
    {
        for (var round = 1; round <= 10; round++)
        {
            portal.ExpireTokens();

            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => fleet[i % 2].TrySignalAsync(portal)));

            Assert.All(answers, static a => Assert.Equal((HttpStatusCode.Accepted, null), a));
            Assert.Equal(round, fleet.Bitrix.OAuth.Calls.Count(static c => c.IsRefresh));
        }
    }

    private static async Task RegisterOnceAsync(Fleet fleet, SimPortal portal)
    {
        var path = new Uri((string)portal.Placements.Single(static p => p.Placement == Worker).Options["errorHandlerUrl"]!).AbsolutePath;
        await portal.RemoveWorkerAsync(notify: false, Token);
        portal.Calls.Clear();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => fleet[i % 2].Http.PostAsync(path, new FormUrlEncodedContent([new("error", "ERROR_PLACEMENT_LOADING_OVERTIME")]), Token)));

        Assert.All(answers, static a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        await fleet.EventuallyAsync(async () => await fleet.CountAsync("SELECT COUNT(*) FROM work WHERE kind <> 'look'") == 0, "all notices are worked off");
        Assert.Single(portal.Placements, static p => p.Placement == Worker);
        Assert.Single(portal.Calls, static c => c.Method == "placement.bind");
    }

    /// <summary>SIGTERM to both, while one of them has a refresh under way: it ends that, its caller is answered, and the tokens are stored.</summary>
    private static async Task TerminateInARefreshAsync(Fleet fleet, SimPortal portal)
    {
        portal.ExpireTokens();
        fleet.Bitrix.Faults.Next("oauth:token", Fault.DelayAfter(TimeSpan.FromSeconds(1.5)));
        var refreshes = fleet.Bitrix.OAuth.Refreshes;
        var signal = fleet[0].TrySignalAsync(portal);
        await fleet.Bitrix.OAuth.Calls.WaitAsync(static c => c is { Kind: "token", Outcome: "ok" }, refreshes + 1, Token);

        var ended = await Task.WhenAll(fleet.Living.Select(static instance => instance.TerminateAsync()));

        Assert.Equal([0, 0], ended);
        Assert.Equal((HttpStatusCode.Accepted, null), await signal);
        await fleet.KillAsync(0);
        await fleet.KillAsync(1);
        await fleet.StartAsync();
        Assert.Equal((HttpStatusCode.Accepted, null), await fleet[1].TrySignalAsync(portal));
        Assert.Equal(refreshes + 1, fleet.Bitrix.OAuth.Refreshes);
    }
}
