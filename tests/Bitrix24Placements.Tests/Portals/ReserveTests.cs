using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class ReserveTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static PortalReserve Reserve(string name, long userId = 2, bool isAdministrator = true) => new(TestStore.Tokens(name), userId, isAdministrator);

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task The_reserve_takes_the_place_of_tokens_that_are_dead(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        Assert.True(await store.Portals.SaveReserveAsync(portal.Id, Reserve("second", isAdministrator: false), Token));
        Assert.Equal(TestStore.Tokens("second"), (await store.FindAsync(portal.Id)).Reserve?.Tokens);
        await store.Portals.SetTokenStateAsync(portal.Id, portal.TokensVersion, TokenState.Dead, Token);

        var version = (await store.FindAsync(portal.Id)).Reserve!.Version;
        Assert.False(await store.Portals.UseReserveAsync(portal.Id, portal.TokensVersion, version - 1, isRefusedForGood: false, Token));
        Assert.True(await store.Portals.UseReserveAsync(portal.Id, portal.TokensVersion, version, isRefusedForGood: false, Token));
        Assert.False(await store.Portals.UseReserveAsync(portal.Id, portal.TokensVersion, version, isRefusedForGood: false, Token));

        var now = await store.FindAsync(portal.Id);
        Assert.Equal((TestStore.Tokens("second"), TokenState.Good, 2L, false), (now.Tokens, now.TokenState, now.UserId, now.IsAdministrator));
        Assert.True(now.TokensVersion > portal.TokensVersion);
        Assert.Null(now.Reserve);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Tokens_that_may_prove_good_after_all_become_the_reserve(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.SaveReserveAsync(portal.Id, Reserve("second", isAdministrator: false), Token);
        var before = await store.FindAsync(portal.Id);

        Assert.True(await store.Portals.UseReserveAsync(portal.Id, portal.TokensVersion, before.Reserve!.Version, isRefusedForGood: false, Token));

        var now = await store.FindAsync(portal.Id);
        Assert.Equal((TestStore.Tokens("second"), 2L, false), (now.Tokens, now.UserId, now.IsAdministrator));
        Assert.Equal(new(TestStore.Tokens("first"), 1L, true), now.Reserve! with { Version = 0 });
        Assert.True(await store.Portals.UseReserveAsync(portal.Id, now.TokensVersion, now.Reserve!.Version, isRefusedForGood: true, Token));
        Assert.Equal((TestStore.Tokens("first"), null), ((await store.FindAsync(portal.Id)).Tokens, (await store.FindAsync(portal.Id)).Reserve));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_a_refresh_brings_after_the_reserve_has_taken_their_place_is_the_reserve(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.SaveReserveAsync(portal.Id, Reserve("second"), Token);
        var tokens = TestStore.Tokens("late") with { ExpiresAt = portal.Tokens!.ExpiresAt.AddHours(1) };
        var late = new PortalReserve(tokens, portal.UserId, IsAdministrator: true);
        await store.Portals.UseReserveAsync(portal.Id, portal.TokensVersion, (await store.FindAsync(portal.Id)).Reserve!.Version, isRefusedForGood: true, Token);
        Assert.False(await store.Portals.SaveLateAsync(portal.Id, portal.Epoch - 1, late, Token));

        Assert.True(await store.Portals.SaveLateAsync(portal.Id, portal.Epoch, late, Token));

        var now = await store.FindAsync(portal.Id);
        Assert.Equal((TestStore.Tokens("second"), late), (now.Tokens, now.Reserve! with { Version = 0 }));
        Assert.False(await store.Portals.SaveLateAsync(portal.Id, portal.Epoch, late, Token));
        Assert.False(await store.Portals.SaveLateAsync(portal.Id, portal.Epoch, Reserve("third", userId: 3), Token));
        // The reserve's own, which came while it took the place of the first.
        Assert.True(await store.Portals.SaveLateAsync(portal.Id, portal.Epoch, new(tokens, 2, IsAdministrator: true), Token));
        Assert.Equal((tokens, late.UserId), ((await store.FindAsync(portal.Id)).Tokens, (await store.FindAsync(portal.Id)).Reserve?.UserId));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Nobody_else_takes_the_place_of_an_administrators_reserve(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        Assert.True(await store.Portals.SaveReserveAsync(portal.Id, Reserve("user", 3, isAdministrator: false), Token));
        Assert.True(await store.Portals.SaveReserveAsync(portal.Id, Reserve("administrator"), Token));
        Assert.False(await store.Portals.SaveReserveAsync(portal.Id, Reserve("user", 3, isAdministrator: false), Token));
        // The first pair's user needs no second one.
        Assert.False(await store.Portals.SaveReserveAsync(portal.Id, Reserve("the same", portal.UserId), Token));

        Assert.Equal(TestStore.Tokens("administrator"), (await store.FindAsync(portal.Id)).Reserve?.Tokens);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Another_administrators_good_tokens_become_the_reserve_and_dead_ones_do_not(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();

        Assert.True(await store.Portals.ReplaceTokensAsync(portal.Id, 2, TestStore.Tokens("second"), portal.OAuthServer, Token));
        var now = await store.FindAsync(portal.Id);
        Assert.Equal((TestStore.Tokens("second"), 2L), (now.Tokens, now.UserId));
        Assert.Equal((TestStore.Tokens("first"), 1L, true), (now.Reserve?.Tokens, now.Reserve?.UserId, now.Reserve?.IsAdministrator));

        // He comes back: his reserve is superfluous, the other's pair is the reserve now.
        await store.Portals.InstallAsync(TestStore.Installation(portal.Id) with { Tokens = TestStore.Tokens("third") }, Token);
        now = await store.FindAsync(portal.Id);
        Assert.Equal((TestStore.Tokens("third"), TestStore.Tokens("second")), (now.Tokens, now.Reserve?.Tokens));

        await store.Portals.SetTokenStateAsync(portal.Id, now.TokensVersion, TokenState.Dead, Token);
        await store.Portals.ReplaceTokensAsync(portal.Id, 3, TestStore.Tokens("fourth"), portal.OAuthServer, Token);
        now = await store.FindAsync(portal.Id);
        Assert.Equal((TestStore.Tokens("fourth"), TestStore.Tokens("second")), (now.Tokens, now.Reserve?.Tokens));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_reserve_is_refreshed_under_the_portals_lease_and_found_when_it_is_old(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.SaveReserveAsync(portal.Id, Reserve("second"), Token);
        await store.AdvanceAsync(TimeSpan.FromDays(151));
        await store.Portals.StoreRefreshedAsync(portal.Id, portal.TokensVersion, TestStore.Tokens("fresh"), Token);
        Assert.Equal([new(portal.Id, true)], await store.Portals.UnusedSinceAsync(store.Time.GetUtcNow() - TimeSpan.FromDays(150), 10, Token));
        var now = await store.FindAsync(portal.Id);
        Assert.NotNull(now.Reserve);

        Assert.True(await store.Portals.TryLeaseReserveAsync(portal.Id, now.Reserve.Version, "one", TimeSpan.FromSeconds(10), Token));
        Assert.False(await store.Portals.TryLeaseRefreshAsync(portal.Id, now.TokensVersion, "another", TimeSpan.FromSeconds(10), Token));
        Assert.True(await store.Portals.StoreRefreshedReserveAsync(portal.Id, now.Reserve.Version, TestStore.Tokens("renewed"), Token));
        Assert.False(await store.Portals.StoreRefreshedReserveAsync(portal.Id, now.Reserve.Version, TestStore.Tokens("late"), Token));

        var after = await store.FindAsync(portal.Id);
        Assert.Equal(TestStore.Tokens("renewed"), after.Reserve?.Tokens);
        Assert.Empty(await store.Portals.UnusedSinceAsync(store.Time.GetUtcNow() - TimeSpan.FromDays(150), 10, Token));
        Assert.True(await store.Portals.DropReserveAsync(portal.Id, after.Reserve?.Version ?? 0, Token));
        Assert.Null((await store.FindAsync(portal.Id)).Reserve);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_uninstallation_takes_the_reserve_too(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.SaveReserveAsync(portal.Id, Reserve("second"), Token);

        await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: false, Token);
        await store.Portals.InstallAsync(TestStore.Installation(portal.Id), Token);

        Assert.Null((await store.FindAsync(portal.Id)).Reserve);
    }
}
