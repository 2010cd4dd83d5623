using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

/// <summary>An instance that was stopped, or cut off from the database, learns what others have changed meanwhile.</summary>
public sealed class FollowedChangesTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<StorageProvider, TimeSpan> Absences => new(
        [StorageProvider.Sqlite, StorageProvider.PostgreSql],
        [TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(25), TimeSpan.FromMinutes(10), TimeSpan.FromHours(2)]);

    [Theory, MemberData(nameof(Absences))]
    public async Task However_long_an_instance_has_not_looked_it_knows_afterwards_what_has_changed(StorageProvider provider, TimeSpan absence)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var (uninstalled, renewed, unchanged) = (await store.InstalledAsync(), await store.InstalledAsync(), await store.InstalledAsync());
        foreach (var portal in (Portal[])[uninstalled, renewed, unchanged])
            Assert.NotNull(await another.Portals.KnownAsync(portal.Id, Token));
        await another.Portals.FollowChangesAsync(Token);

        await store.Portals.UninstallAsync(uninstalled.Id, uninstalled.Epoch, clean: false, Token);
        await store.Portals.AdoptApplicationTokenAsync(renewed.Id, new("a new one"), Token);
        await AdvanceAsync(store, another, absence);
        await store.Portals.ForgetOldChangesAsync(Token);
        await another.Portals.FollowChangesAsync(Token);

        Assert.Equal(PortalState.Uninstalled, (await another.Portals.KnownAsync(uninstalled.Id, Token))?.State);
        Assert.True((await another.Portals.KnownAsync(renewed.Id, Token))?.AcceptsApplicationToken(new("a new one")));
        Assert.True((await another.Portals.KnownAsync(unchanged.Id, Token))?.AcceptsApplicationToken(new("application-token")));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_look_that_has_failed_does_not_count(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();
        Assert.NotNull(await another.Portals.KnownAsync(portal.Id, Token));
        await another.Portals.FollowChangesAsync(Token);

        await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: false, Token);
        await store.Database.ExecuteAsync("ALTER TABLE portal_changes RENAME TO away", Token);
        for (var i = 0; i < 3; i++)
        {
            await AdvanceAsync(store, another, TimeSpan.FromSeconds(10));
            await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => another.Portals.FollowChangesAsync(Token));
        }

        await store.Database.ExecuteAsync("ALTER TABLE away RENAME TO portal_changes", Token);
        await another.Portals.FollowChangesAsync(Token);

        Assert.Equal(PortalState.Uninstalled, (await another.Portals.KnownAsync(portal.Id, Token))?.State);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_database_whose_clock_was_put_back_is_followed_on(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();
        Assert.NotNull(await another.Portals.KnownAsync(portal.Id, Token));
        await AdvanceAsync(store, another, TimeSpan.FromHours(1));
        await another.Portals.FollowChangesAsync(Token);
        Assert.NotNull(await another.Portals.KnownAsync(portal.Id, Token));
        await store.Database.ExecuteAsync("DELETE FROM portal_changes", Token);

        await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: false, Token);
        await store.Database.ExecuteAsync($"UPDATE portal_changes SET changed_at = changed_at - {TimeSpan.FromHours(1)}", Token);
        if (provider == StorageProvider.PostgreSql)
            await store.Database.ExecuteAsync("UPDATE clock_offset SET by = by - interval '1 hour'", Token);
        else
            another.Time.AdjustTime(another.Time.GetUtcNow() - TimeSpan.FromHours(1));
        await another.Portals.FollowChangesAsync(Token);

        Assert.Equal(PortalState.Uninstalled, (await another.Portals.KnownAsync(portal.Id, Token))?.State);
    }

    [Fact]
    public async Task What_was_read_before_a_change_elsewhere_is_not_kept_after_it()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var (id, directory) = ((await store.InstalledAsync()).Id, store.Get<PortalDirectory>());
        var read = directory.FindAll(id.MemberId).ToArray();
        directory.Clear();

        var stamp = directory.Stamp(id.MemberId);
        Assert.False(directory.Outdate(id.MemberId));
        directory.Put(id.MemberId, read, stamp);
        Assert.Empty(directory.FindAll(id.MemberId));

        stamp = directory.Stamp(id.MemberId);
        directory.Clear();
        directory.Put(id.MemberId, read, stamp);
        Assert.Empty(directory.FindAll(id.MemberId));
    }

    /// <summary>PostgreSQL has one clock for both.</summary>
    private static async Task AdvanceAsync(TestStore store, TestStore another, TimeSpan by)
    {
        await store.AdvanceAsync(by);
        another.Time.Advance(by);
    }
}
