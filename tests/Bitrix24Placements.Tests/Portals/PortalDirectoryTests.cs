using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class PortalDirectoryTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_change_is_known_at_once_where_it_was_made_and_elsewhere_after_a_look(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();
        var known = await another.Portals.KnownAsync(portal.Id, Token);
        Assert.True(known!.AcceptsApplicationToken(new("application-token")));

        await store.Portals.AdoptApplicationTokenAsync(portal.Id, new("a new one"), Token);

        Assert.True((await store.Portals.KnownAsync(portal.Id, Token))!.AcceptsApplicationToken(new("a new one")));
        Assert.True((await another.Portals.KnownAsync(portal.Id, Token))!.AcceptsApplicationToken(new("application-token")));
        await another.Portals.FollowChangesAsync(Token);
        Assert.True((await another.Portals.KnownAsync(portal.Id, Token))!.AcceptsApplicationToken(new("a new one")));
        Assert.False((await another.Portals.KnownAsync(portal.Id, Token))!.AcceptsApplicationToken(new("application-token")));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_uninstallation_is_known_to_every_instance(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();
        Assert.NotNull(await another.Portals.KnownAsync(portal.Id, Token));

        await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: true, Token);
        await another.Portals.FollowChangesAsync(Token);

        Assert.Equal(PortalState.Uninstalled, (await store.Portals.KnownAsync(portal.Id, Token))?.State);
        Assert.Equal(PortalState.Uninstalled, (await another.Portals.KnownAsync(portal.Id, Token))?.State);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task All_apps_of_a_portal_are_known_together_and_without_the_database_afterwards(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();
        var other = new PortalId(portal.Id.MemberId, "other");
        Assert.Single(await another.Portals.KnownAllAsync(portal.Id.MemberId, Token));
        await store.Portals.InstallAsync(TestStore.Installation(other, "another-token"), Token);

        Assert.Equal([portal.Id, other], (await store.Portals.KnownAllAsync(portal.Id.MemberId, Token)).Select(static p => p.Id));
        Assert.Single(await another.Portals.KnownAllAsync(portal.Id.MemberId, Token));
        await another.Portals.FollowChangesAsync(Token);
        Assert.Equal([portal.Id, other], (await another.Portals.KnownAllAsync(portal.Id.MemberId.ToUpperInvariant(), Token)).Select(static p => p.Id));

        var directory = another.Get<PortalDirectory>();
        Assert.Equal(2, directory.FindAll(portal.Id.MemberId).Length);
        Assert.True(directory.Find(other)?.AcceptsApplicationToken(new("another-token")));
        Assert.False(directory.Find(portal.Id)?.AcceptsApplicationToken(new("another-token")));
        Assert.Null(directory.Find(new(portal.Id.MemberId, "a third")));
        Assert.Empty(await another.Portals.KnownAllAsync("no member_id at all", Token));
    }

    [Fact]
    public async Task Looking_up_the_apps_of_a_known_portal_allocates_nothing()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var memberId = (await store.InstalledAsync()).Id.MemberId;
        Assert.Single(await store.Portals.KnownAllAsync(memberId, Token));
        var directory = store.Get<PortalDirectory>();
        Assert.Single(directory.FindAll(memberId));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            _ = directory.FindAll(memberId).Length;

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task No_more_portals_are_kept_in_memory_than_configured()
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var storage = new StorageOptions { ConnectionString = $"Data Source={Path.Combine(folder.FullName, "placements.db")}", CachedPortals = 20 };
        await using var store = await TestStore.OpenAsync(storage, folder);
        var directory = store.Get<PortalDirectory>();

        for (var i = 0; i < 100; i++)
        {
            var portal = await store.InstalledAsync();
            Assert.NotNull(await store.Portals.KnownAsync(portal.Id, Token));
            Assert.InRange(directory.Count, 1, 20);
        }
    }
}
