using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

/// <summary>A machine that starts with a clock hours ahead, which is put right then, has written of instants that are still to come.</summary>
public sealed class ClockPutRightTests(ThrowawayPostgres postgres)
{
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(6);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<Portal> InstalledAsync(TestStore store)
    {
        var installation = TestStore.Installation(TestStore.NewId());
        await store.Portals.InstallAsync(installation, Token);
        return (await store.Portals.FindAsync(installation.Id, Token))!;
    }

    [Fact]
    public async Task Work_that_was_under_way_is_nobodys()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var id = TestStore.NewId();
        await store.Work.RequestAsync(new(id, WorkKind.Reconcile), Token);
        store.Time.AdjustTime(store.Time.GetUtcNow() + Ahead);
        Assert.Single(await store.ClaimAsync(10));
        store.Time.AdjustTime(store.Time.GetUtcNow() - Ahead);

        Assert.False(await store.Work.IsRunningAsync(id, WorkKind.Reconcile, Token));
        await using var another = await store.OpenAnotherAsync();
        Assert.Single(await another.ClaimAsync(10));
        Assert.Empty(await store.ClaimAsync(10));
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(0, false)]
    public async Task What_was_put_off_is_due(int days, bool isPutRight)
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var id = TestStore.NewId();
        store.Time.AdjustTime(store.Time.GetUtcNow() + TimeSpan.FromDays(days));
        await store.Work.RequestAsync(new(id, WorkKind.Look) { Delay = TimeSpan.FromDays(1) }, Token);
        await store.Inbox.AddAsync(new(id, "1", "ONCRMDEALADD", "an event"), Token);
        await store.Inbox.RetryAsync((await store.Inbox.NextAsync(id, Token))!, TimeSpan.FromHours(1), Token);
        store.Time.AdjustTime(store.Time.GetUtcNow() - TimeSpan.FromDays(days));

        await store.Work.PutRightAsync(Token);

        Assert.Equal(isPutRight, (await store.ClaimAsync(10)).Exists(static w => w.Kind == WorkKind.Look));
        var waiting = (await store.Inbox.NextAsync(id, Token))!;
        Assert.Equal(isPutRight, waiting.DueIn == TimeSpan.Zero);
        await store.Inbox.RetryAsync(waiting, TimeSpan.Zero, Token);
        Assert.Equal(TimeSpan.Zero, (await store.Inbox.NextAsync(id, Token))!.TriedFor);
    }

    [Fact]
    public async Task A_refresh_that_was_under_way_is_nobodys()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var portal = await InstalledAsync(store);
        store.Time.AdjustTime(store.Time.GetUtcNow() + Ahead);
        Assert.True(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "ahead", TimeSpan.FromSeconds(10), Token));
        store.Time.AdjustTime(store.Time.GetUtcNow() - Ahead);

        Assert.False((await store.Portals.FindAsync(portal.Id, Token))?.IsRefreshing);
        Assert.False(await store.Portals.IsRefreshLeasedAsync(portal.Id, portal.TokensVersion, Token));
        Assert.True(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "another", TimeSpan.FromSeconds(10), Token));
        Assert.True((await store.Portals.FindAsync(portal.Id, Token))?.IsRefreshing);
        Assert.False(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "ahead", TimeSpan.FromSeconds(10), Token));
    }

    [Fact]
    public async Task What_has_happened_has_happened_by_now()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var portal = await InstalledAsync(store);
        var now = store.Time.GetUtcNow();
        await store.Portals.SaveRemovalsAsync(portal.Id, 3, now + Ahead, Token);

        Assert.True((await store.Portals.FindAsync(portal.Id, Token))?.RemovedAt <= now);
    }
}
