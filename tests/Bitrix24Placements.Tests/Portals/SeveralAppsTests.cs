using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class SeveralAppsTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Two_apps_of_one_portal_live_side_by_side(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var one = await store.InstalledAsync();
        var id = new PortalId(one.Id.MemberId, "other");
        await store.Portals.InstallAsync(TestStore.Installation(id, "another-token") with { Tokens = TestStore.Tokens("other") }, Token);
        var other = await store.FindAsync(id);

        Assert.NotEqual(one.RemovalKey, other.RemovalKey);
        Assert.Equal(id, await store.Portals.FindByRemovalKeyAsync(other.RemovalKey.Reveal(), Token));
        Assert.Equal(one.Id, await store.Portals.FindByRemovalKeyAsync(one.RemovalKey.Reveal(), Token));
        Assert.Equal(2, (await store.ClaimAsync(10)).Count(static w => w.Kind == WorkKind.Reconcile));
        Assert.True(await store.Portals.StoreRefreshedAsync(id, other.TokensVersion, TestStore.Tokens("fresh"), Token));
        await store.Loads.AddAsync([new(id, 1, 2, 0, 5)], Token);
        Assert.Equal(TestStore.Tokens("first"), (await store.FindAsync(one.Id)).Tokens);
        Assert.Empty(await store.Loads.SinceAsync(one.Id, 0, Token));

        await store.Portals.UninstallAsync(id, other.Epoch, clean: true, Token);
        await store.AdvanceAsync(TimeSpan.FromDays(2));
        await store.Portals.DeleteExpiredAsync(10, Token);

        Assert.Equal(one with { CheckedAt = default }, await store.FindAsync(one.Id) with { CheckedAt = default });
        Assert.Equal([one.Id], (await store.Portals.KnownAllAsync(one.Id.MemberId, Token)).Select(static p => p.Id));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task One_apps_tokens_open_nothing_in_anothers_row(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var one = await store.InstalledAsync();
        var other = new PortalId(one.Id.MemberId, "other");
        await store.Portals.InstallAsync(TestStore.Installation(other), Token);

        await store.Database.ExecuteAsync("UPDATE portals SET tokens = (SELECT tokens FROM portals WHERE app = 'default') WHERE app = 'other'", Token);

        Assert.Null((await store.FindAsync(other)).Tokens);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_bad_row_counts_as_not_there_and_is_nobody_elses_trouble(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var (good, hash, address) = (await store.InstalledAsync(), await store.InstalledAsync(), await store.InstalledAsync());
        foreach (var portal in new[] { good, hash, address })
            Assert.NotNull(await another.Portals.KnownAsync(portal.Id, Token));
        await store.Database.ExecuteAsync($"UPDATE portals SET application_token_hash = 'no hexadecimal' WHERE member_id = {hash.Id.MemberId}", Token);
        await store.Database.ExecuteAsync($"UPDATE portals SET client_endpoint = '::' WHERE member_id = {address.Id.MemberId}", Token);
        await store.Database.ExecuteAsync(
            "INSERT INTO work (member_id, app, kind, priority, due_at, attempt, request, created_at, lease_till) VALUES ('short', 'default', 'reconcile', 0, 0, 0, 1, 0, 0)", Token);
        await store.Database.ExecuteAsync(
            "INSERT INTO portals (member_id, app, client_endpoint, oauth_server, state, epoch, user_id, tokens_state, tokens_version, tokens_expire_at, tokens_renewed_at, refresh_until, "
            + "removal_key, removal_key_hash, declaration, reconciled_at, checked_at, removals, removed_at, delete_at) "
            + "VALUES ('short', 'default', '', '', 1, 0, 0, 1, 0, 0, 0, 0, '', '', '', 0, 0, 0, 0, 1)", Token);

        var known = another.Get<PortalDirectory>().Find(good.Id);
        await another.Portals.FollowChangesAsync(Token);

        Assert.Null(another.Get<PortalDirectory>().Find(hash.Id));
        Assert.Null(another.Get<PortalDirectory>().Find(address.Id));
        Assert.NotSame(known, another.Get<PortalDirectory>().Find(good.Id));
        Assert.Null(await another.Portals.KnownAsync(hash.Id, Token));
        Assert.Null(await another.Portals.FindAsync(address.Id, Token));
        Assert.NotNull(await another.Portals.KnownAsync(good.Id, Token));
        Assert.Equal(3, (await another.ClaimAsync(10)).Count);
        Assert.DoesNotContain(await store.Portals.UnusedSinceAsync(store.Time.GetUtcNow(), 10, Token), static u => u.Id.MemberId == "short");
        Assert.NotEmpty(await store.Portals.OfOtherDeclarationAsync("another", null, 10, Token));
        Assert.Equal(0, await store.Portals.DeleteExpiredAsync(10, Token));

        // An installation mends the row.
        await store.Portals.InstallAsync(TestStore.Installation(hash.Id), Token);
        Assert.NotNull(await store.Portals.FindAsync(hash.Id, Token));
    }
}
