using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Apps;

/// <summary>Two apps on one portal are two installations: what happens to one is none of the other's.</summary>
public sealed class NeighbourTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_uninstallation_leaves_the_other()
    {
        await using var apps = await TwoApps.StartAsync();

        await apps.Portal.UninstallAsync(app: apps.Second, cancellationToken: Token);

        await apps.Service.EventuallyAsync(async () => await apps.WorkerAsync(apps.Second) == HttpStatusCode.Forbidden, "the second app is gone");
        Assert.Equal(HttpStatusCode.OK, await apps.WorkerAsync());
        Assert.Equal(HttpStatusCode.Accepted, await apps.SignalAsync(null));
        Assert.True(apps.Service.IsRegistered());
    }

    [Fact]
    public async Task A_removal_notice_is_its_own_apps()
    {
        await using var apps = await TwoApps.StartAsync();
        apps.Portal.Calls.Clear();

        await apps.Portal.RemoveWorkerAsync(apps.Second, cancellationToken: Token);

        await apps.Service.EventuallyAsync(() => apps.Portal.Count("placement.bind") == 1, "the worker is bound again");
        Assert.Equal(HttpStatusCode.OK, await apps.WorkerAsync(apps.Second));
        Assert.Equal(1, apps.Portal.Count("placement.bind"));
    }

    [Fact]
    public async Task A_session_opens_nothing_of_the_others()
    {
        await using var apps = await TwoApps.StartAsync();
        var session = await apps.SessionAsync(apps.Second);
        var others = apps.Portal.IssueTokens(2).Access;

        Assert.Equal(HttpStatusCode.NotFound, await AskAsync("/api/links", new() { ["params"] = new JsonObject(), ["app"] = PortalId.DefaultApp }));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync("/api/session", new() { ["accessToken"] = others }));

        Task<HttpStatusCode> AskAsync(string path, JsonObject body) => TwoApps.StatusAsync(apps.Service.ApiAsync(path, body, session));
    }

    [Fact]
    public async Task While_a_secret_is_rotated_both_are_tried()
    {
        await using var apps = await TwoApps.StartAsync();
        // Bitrix24 knows the old one for a while.
        await apps.Apps.RotateAsync(TwoApps.Name, new("what Bitrix24 does not know yet"), Token);
        apps.Portal.ExpireTokens();
        Assert.Equal(HttpStatusCode.Accepted, await apps.SignalAsync(TwoApps.Name));
        Assert.NotNull(apps.Apps.Find(TwoApps.Name)?.PreviousSecret);

        await apps.Apps.RotateAsync(TwoApps.Name, new(apps.Service.Bitrix.RotateSecret(TwoApps.ClientId)), Token);
        apps.Portal.ExpireTokens();
        Assert.Equal(HttpStatusCode.Accepted, await apps.SignalAsync(TwoApps.Name));
        Assert.Null(apps.Apps.Find(TwoApps.Name)?.PreviousSecret);
    }
}
