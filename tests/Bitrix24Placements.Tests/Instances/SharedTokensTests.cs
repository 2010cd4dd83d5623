using System.Text.Json;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

public sealed class SharedTokensTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<RestResult<JsonElement>> CallAsync(Service instance, SimPortal portal) =>
        Task.Run(() => instance.Get<RestClient>().CallAsync(portal.Id, new RestCall("placement.list") { Deadline = TimeSpan.FromSeconds(40) }, Token), Token);

    private static Task<int> SetAsync(Cluster cluster, Sql set) =>
        cluster.First.Get<Database>().ExecuteAsync($"UPDATE portals SET {set}", Token);

    [Fact]
    public async Task Twenty_calls_over_both_instances_on_an_expired_token_make_one_refresh_ten_times_over()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);
        for (var round = 1; round <= 10; round++)
        {
            cluster.Portal.ExpireTokens();

            var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => CallAsync(cluster.Instances[i % 2], cluster.Portal)));

            Assert.All(results, static r => Assert.True(r.Ok, r.Error?.ToString()));
            Assert.Equal(round, cluster.Bitrix.OAuth.Calls.Count(static call => call.IsRefresh));
            Assert.Equal(round, cluster.Bitrix.OAuth.Refreshes);
        }
    }

    [Fact]
    public async Task The_lease_of_an_instance_that_died_while_refreshing_runs_out()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);
        cluster.Portal.ExpireTokens();
        var until = DateTimeOffset.UtcNow.AddSeconds(3);
        await SetAsync(cluster, $"refresh_owner = 'dead', refresh_until = {until.ToUnixTimeMilliseconds()}");

        var results = await Task.WhenAll(cluster.Instances.Select(instance => CallAsync(instance, cluster.Portal)));

        Assert.All(results, static r => Assert.True(r.Ok, r.Error?.ToString()));
        var refresh = Assert.Single(cluster.Bitrix.OAuth.Calls, static call => call.IsRefresh);
        Assert.True(refresh.At >= until.AddMilliseconds(-1));
    }

    [Fact]
    public async Task While_one_instance_refreshes_slowly_the_other_waits_and_uses_its_result()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);
        cluster.Portal.ExpireTokens();
        var goOn = new TaskCompletionSource();
        cluster.Bitrix.Faults.Next("oauth:token", Fault.UntilAfter(goOn.Task));
        var first = CallAsync(cluster.First, cluster.Portal);
        await cluster.Bitrix.OAuth.Calls.WaitAsync(static c => c.IsRefresh, 1, Token);

        var second = CallAsync(cluster.Second, cluster.Portal);
        await cluster.Portal.Calls.WaitAsync(static c => c is { Method: "placement.list", Outcome: "expired_token" }, 2, Token);
        goOn.SetResult();

        Assert.True((await first).Ok);
        Assert.True((await second).Ok);
        Assert.Single(cluster.Bitrix.OAuth.Calls, static c => c.IsRefresh);
    }

    [Fact]
    public async Task What_one_instance_has_encrypted_the_other_reads()
    {
        await using var cluster = await Cluster.StartAsync(postgres);
        var second = await cluster.Bitrix.AddPortalAsync(Token);

        await Task.WhenAll(cluster.First.InstallAsync(), cluster.Second.InstallAsync(second));

        foreach (var portal in cluster.Bitrix.Portals)
        {
            foreach (var instance in cluster.Instances)
                Assert.Equal(Bitrix24Placements.Portals.TokenState.Good, (await instance.Get<PortalStore>().FindAsync(portal.Id, Token))!.TokenState);
        }
    }
}
