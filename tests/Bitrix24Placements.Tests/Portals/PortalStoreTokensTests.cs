using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class PortalStoreTokensTests(ThrowawayPostgres postgres)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task An_instance_whose_clock_is_a_day_off_keeps_the_others_leases_and_puts_nothing_off(int days)
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.PostgreSql, postgres);
        await using var wrong = await store.OpenAnotherAsync();
        wrong.Time.SetUtcNow(DateTimeOffset.UtcNow.AddDays(2 + days));
        await store.AdvanceAsync(TimeSpan.FromDays(2));
        await wrong.Get<DatabaseClock>().MeasureAsync(Token);
        var portal = await store.InstalledAsync();

        Assert.True(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "right", TimeSpan.FromMinutes(1), Token));
        Assert.False(await wrong.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "wrong", TimeSpan.FromMinutes(1), Token));
        await store.Portals.ReleaseRefreshAsync(portal, "right", Token);
        Assert.True(await wrong.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "wrong", TimeSpan.FromMinutes(1), Token));
        Assert.False(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "right", TimeSpan.FromMinutes(1), Token));

        // What it wants in a minute is due in a minute, and its tokens live for an hour, whoever looks.
        await wrong.Work.RequestAsync(new(portal.Id, "later") { Delay = TimeSpan.FromMinutes(1), KeepsAttempts = true }, Token);
        var tokens = TestStore.Tokens("second") with { ExpiresAt = wrong.Time.GetUtcNow().AddHours(1) };
        Assert.True(await wrong.Portals.StoreRefreshedAsync(portal.Id, portal.TokensVersion, tokens, Token));
        Assert.DoesNotContain(await store.ClaimAsync(10), static w => w.Kind == "later");
        await store.AdvanceAsync(TimeSpan.FromSeconds(70));
        Assert.Single(await store.ClaimAsync(10), static w => w.Kind == "later");
        var seen = (await store.FindAsync(portal.Id)).Tokens?.ExpiresAt - store.Time.GetUtcNow();
        Assert.InRange(seen ?? default, TimeSpan.FromMinutes(55), TimeSpan.FromMinutes(61));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task One_of_many_gets_the_lease_to_refresh(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();

        var leased = await Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
            (i % 2 == 0 ? store : another).Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, $"owner {i}", Lease, Token)));

        Assert.Single(leased, true);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task The_lease_of_a_dead_instance_runs_out(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        Assert.True(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "dead", Lease, Token));

        Assert.False(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "living", Lease, Token));
        await store.AdvanceAsync(Lease + TimeSpan.FromMilliseconds(1));
        Assert.True(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "living", Lease, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Whoever_has_read_of_anothers_refresh_under_way_leaves_none_without_an_end(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "first", TimeSpan.FromMinutes(1), Token);
        var seen = await store.FindAsync(portal.Id);
        await store.Portals.ReleaseRefreshAsync(portal, "first", Token);
        await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "second", Lease, Token);
        await store.Portals.ReleaseRefreshAsync(seen, "second", Token);

        Assert.True(seen is { HasUnfinishedRefresh: true, IsRefreshing: true });
        Assert.False((await store.FindAsync(portal.Id)).HasUnfinishedRefresh);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_lease_is_renewed_and_released_by_its_owner_alone(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "owner", Lease, Token);

        Assert.True(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "owner", Lease, Token));
        await store.Portals.ReleaseRefreshAsync(portal, "another", Token);
        Assert.False(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "another", Lease, Token));
        await store.Portals.ReleaseRefreshAsync(portal, "owner", Token);
        Assert.True(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "another", Lease, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Refreshed_tokens_replace_only_the_version_they_were_refreshed_from(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();

        Assert.True(await store.Portals.StoreRefreshedAsync(portal.Id, portal.TokensVersion, TestStore.Tokens("second"), Token));
        Assert.False(await store.Portals.StoreRefreshedAsync(portal.Id, portal.TokensVersion, TestStore.Tokens("late"), Token));

        var after = await store.FindAsync(portal.Id);
        Assert.Equal(TestStore.Tokens("second"), after.Tokens);
        Assert.False(await store.Portals.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, "late", Lease, Token));
        Assert.True(await store.Portals.TryLeaseRefreshAsync(portal.Id, after.TokensVersion, "next", Lease, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_refusal_of_earlier_tokens_does_not_mark_newer_ones_dead(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.ReplaceTokensAsync(portal.Id, 1, TestStore.Tokens("newer"), portal.OAuthServer, Token);

        Assert.False(await store.Portals.SetTokenStateAsync(portal.Id, portal.TokensVersion, TokenState.Dead, Token));

        Assert.Equal(TokenState.Good, (await store.FindAsync(portal.Id)).TokenState);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Tokens_that_nobody_has_used_for_long_are_found_and_dead_ones_are_not(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var unused = await store.InstalledAsync();
        var dead = await store.InstalledAsync();
        await store.Portals.SetTokenStateAsync(dead.Id, dead.TokensVersion, TokenState.Dead, Token);
        await store.AdvanceAsync(TimeSpan.FromDays(151));
        await store.InstalledAsync();

        Assert.Equal([new(unused.Id, false)], await store.Portals.UnusedSinceAsync(store.Time.GetUtcNow() - TimeSpan.FromDays(150), 10, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task However_many_tokens_cannot_be_renewed_each_has_its_turn(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var unused = new List<PortalId>();
        for (var i = 0; i < 12; i++)
            unused.Add((await store.InstalledAsync()).Id);
        await store.AdvanceAsync(TimeSpan.FromDays(151));

        var found = new HashSet<PortalId>();
        for (var i = 0; i < 60; i++)
            found.UnionWith((await store.Portals.UnusedSinceAsync(store.Time.GetUtcNow() - TimeSpan.FromDays(150), 4, Token)).Select(u => u.Id));

        Assert.Equal(unused.Count, found.Count);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Tokens_copied_to_another_portals_row_open_nothing(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var one = await store.InstalledAsync();
        var other = await store.InstalledAsync();

        await store.Database.ExecuteAsync($"UPDATE portals SET tokens = (SELECT tokens FROM portals WHERE member_id = {one.Id.MemberId}) WHERE member_id = {other.Id.MemberId}", Token);

        var read = await store.FindAsync(other.Id);
        Assert.Null(read.Tokens);
        Assert.Equal(TokenState.Dead, read.TokenState);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Nothing_in_the_tables_is_a_token_or_a_key(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();

        var row = string.Join('\n', await store.Database.QueryAsync("SELECT * FROM portals", static r => string.Join('|', Enumerable.Range(0, r.FieldCount).Select(r.GetValue)), Token));

        Assert.Contains(portal.Id.MemberId, row, StringComparison.Ordinal);
        foreach (var secret in new[] { "access-first", "refresh-first", "application-token", portal.RemovalKey.Reveal() })
            Assert.DoesNotContain(secret, row, StringComparison.OrdinalIgnoreCase);
    }
}
