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
        Assert.True(known!.AcceptsApplicationToken("application-token"u8));

        await store.Portals.AdoptApplicationTokenAsync(portal.Id, new("a new one"), Token);

        Assert.True((await store.Portals.KnownAsync(portal.Id, Token))!.AcceptsApplicationToken("a new one"u8));
        Assert.True((await another.Portals.KnownAsync(portal.Id, Token))!.AcceptsApplicationToken("application-token"u8));
        Assert.Equal(1, await another.Portals.FollowChangesAsync(Token));
        Assert.True((await another.Portals.KnownAsync(portal.Id, Token))!.AcceptsApplicationToken("a new one"u8));
        Assert.False((await another.Portals.KnownAsync(portal.Id, Token))!.AcceptsApplicationToken("application-token"u8));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_deleted_portal_is_forgotten_by_every_instance(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();
        Assert.NotNull(await another.Portals.KnownAsync(portal.Id, Token));

        await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: true, Token);
        await another.Portals.FollowChangesAsync(Token);

        Assert.Null(await store.Portals.KnownAsync(portal.Id, Token));
        Assert.Null(await another.Portals.KnownAsync(portal.Id, Token));
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
