using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>A refresh voids the tokens before anybody has the new ones: that the OAuth server does not know them meanwhile is no uninstallation.</summary>
public sealed class UninstallWhileRefreshingTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Mostly waiting, so both at once. Without PostgreSQL it counts as skipped when the other half has held.</summary>
    [Fact]
    public Task A_notice_that_is_asked_about_while_a_refresh_takes_long_waits_on_one_instance_and_on_two() => Task.WhenAll(OnSqliteAsync(), OnPostgreSqlAsync());

    private static async Task OnSqliteAsync()
    {
        await using var service = await Service.StartInstalledAsync();
        await AssertWaitsAsync(service, service);
    }

    private async Task OnPostgreSqlAsync()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);
        await AssertWaitsAsync(cluster.First, cluster.Second);
    }

    private static async Task AssertWaitsAsync(Service refreshing, Service told)
    {
        var bitrix = refreshing.Bitrix;
        bitrix.Options.RefreshRevokesAccessToken = true;
        refreshing.Portal.ExpireTokens();
        var goOn = new TaskCompletionSource();
        bitrix.Faults.Next("oauth:token", Fault.UntilAfter(goOn.Task));
        var signal = refreshing.SignalAsync();
        await refreshing.EventuallyAsync(() => bitrix.OAuth.Refreshes == 1, "the old token is void, the new one is not here yet");

        (await told.PostAsync("/events", told.Portal.EventFields("ONAPPUNINSTALL", data: new() { ["CLEAN"] = 1 }))).Dispose();
        await told.EventuallyAsync(async () => await told.DueInAsync(WorkKind.Uninstall) is not < 0, "the notice has been asked about", 40);

        Assert.True(await told.DueInAsync(WorkKind.Uninstall) > 0, "It is asked about again later.");
        Assert.Equal(PortalState.Installed, (await told.StoredAsync())!.State);
        goOn.SetResult();
        await signal;
        await told.EventuallyAsync(async () => await told.SignalAsync() == HttpStatusCode.Accepted, "the new tokens are there");
    }
}
