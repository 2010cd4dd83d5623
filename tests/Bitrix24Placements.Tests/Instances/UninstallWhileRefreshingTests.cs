using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>A refresh voids the tokens before anybody has the new ones: that the OAuth server does not know them meanwhile is no uninstallation.</summary>
public sealed class UninstallWhileRefreshingTests(ThrowawayPostgres postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");

    /// <summary>Whether the service's clock says so, too: then it refreshes before it asks.</summary>
    public static MatrixTheoryData<StorageProvider, bool> Expired => new([StorageProvider.Sqlite, StorageProvider.PostgreSql], [false, true]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Mostly waiting, so both at once. Without PostgreSQL it counts as skipped when the other half has held.</summary>
    [Fact]
    public Task A_notice_that_is_asked_about_while_a_refresh_takes_long_waits_on_one_instance_and_on_two() => Task.WhenAll(OnSqliteAsync(), OnPostgreSqlAsync());

    [Theory, MemberData(nameof(Expired))]
    public async Task Where_whoever_refreshes_is_cut_off_the_portal_is_suspended_until_he_stores_what_he_has(StorageProvider provider, bool isExpired)
    {
        await using var service = await StartAsync(provider);
        var (portal, store) = ((await service.StoredAsync())!, service.Get<PortalStore>());
        Assert.True(await store.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "cut off", TimeSpan.Zero, Token));
        var kept = await service.Get<OAuthClient>().RefreshAsync(portal.Id.App, portal.Tokens!.Refresh, portal.OAuthServer, TimeSpan.FromSeconds(5), Token);
        if (isExpired)
            await service.Get<Database>().ExecuteAsync("UPDATE portals SET tokens_expire_at = 1", Token);

        await TellAsync(service);
        await service.EventuallyAsync(async () => (await service.StoredAsync())!.State == PortalState.Suspended, "suspended");

        Assert.True(await store.StoreRefreshedAsync(portal.Id, portal.TokensVersion, kept.Value!.Tokens, Token));
        Assert.True(await service.StoredAsync() is { State: PortalState.Installed, HasUnfinishedRefresh: false });
        Assert.Equal(HttpStatusCode.Accepted, await service.SignalAsync());
        using var worker = await service.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
    }

    [Theory, InlineData(StorageProvider.Sqlite), InlineData(StorageProvider.PostgreSql)]
    public async Task So_does_he_where_the_others_have_found_the_tokens_dead_before_the_notice(StorageProvider provider)
    {
        await using var service = await StartAsync(provider);
        var (portal, store) = ((await service.StoredAsync())!, service.Get<PortalStore>());
        var kept = await service.Get<OAuthClient>().RefreshAsync(portal.Id.App, portal.Tokens!.Refresh, portal.OAuthServer, TimeSpan.FromSeconds(5), Token);
        service.Portal.ExpireTokens();
        await service.Get<Database>().ExecuteAsync("UPDATE portals SET tokens_expire_at = 1", Token);
        Assert.NotEqual(HttpStatusCode.Accepted, await service.SignalAsync());
        Assert.Equal(TokenState.Dead, (await service.StoredAsync())!.TokenState);

        await TellAsync(service);
        await service.EventuallyAsync(async () => (await service.StoredAsync())!.State == PortalState.Suspended, "suspended");

        Assert.True(await store.StoreRefreshedAsync(portal.Id, portal.TokensVersion, kept.Value!.Tokens, Token));
        Assert.Equal(PortalState.Installed, (await service.StoredAsync())!.State);
    }

    [Fact]
    public async Task What_he_stores_does_not_bring_back_a_portal_that_has_gone()
    {
        await using var service = await StartAsync(StorageProvider.Sqlite);
        var (portal, store) = ((await service.StoredAsync())!, service.Get<PortalStore>());
        Assert.True(await store.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "cut off", TimeSpan.Zero, Token));
        var kept = await service.Get<OAuthClient>().RefreshAsync(portal.Id.App, portal.Tokens!.Refresh, portal.OAuthServer, TimeSpan.FromSeconds(5), Token);
        await service.Portal.UninstallAsync(clean: true, Token);
        await service.EventuallyAsync(async () => (await service.StoredAsync())!.State == PortalState.Suspended, "suspended");

        Assert.True(await store.StoreRefreshedAsync(portal.Id, portal.TokensVersion, kept.Value!.Tokens, Token));

        await service.EventuallyAsync(async () => await service.StoredAsync() is { State: PortalState.Uninstalled, Tokens: null }, "uninstalled", 30);
    }

    private async Task<Service> StartAsync(StorageProvider provider)
    {
        var service = await Service.StartInstalledAsync(provider == StorageProvider.Sqlite ? null
            : Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(_folder, "cut-off")));
        service.Bitrix.Options.RefreshRevokesAccessToken = true;
        return service;
    }

    private static async Task TellAsync(Service told) =>
        (await told.PostAsync("/events", told.Portal.EventFields("ONAPPUNINSTALL", data: new() { ["CLEAN"] = 1 }))).Dispose();

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

        await TellAsync(told);
        await told.EventuallyAsync(async () => await told.DueInAsync(WorkKind.Uninstall) is not < 0, "the notice has been asked about", 40);

        Assert.True(await told.DueInAsync(WorkKind.Uninstall) > 0, "It is asked about again later.");
        Assert.Equal(PortalState.Installed, (await told.StoredAsync())!.State);
        goOn.SetResult();
        await signal;
        await told.EventuallyAsync(async () => await told.SignalAsync() == HttpStatusCode.Accepted, "the new tokens are there");
    }

    public void Dispose() => _folder.Delete(true);
}
