using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class PortalStoreTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_a_wrong_clock_has_told_gives_way(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        var now = store.Time.GetUtcNow();
        Task<bool> InstallAsync(DateTimeOffset toldAt) => store.Portals.InstallAsync(TestStore.Installation(portal.Id) with { ToldAt = toldAt }, Token);

        Assert.True(await InstallAsync(now + TimeSpan.FromDays(1)));
        Assert.True(await InstallAsync(now));
        Assert.False(await InstallAsync(now - TimeSpan.FromSeconds(1)));
        // Clocks of instances differ by little.
        Assert.True(await InstallAsync(now + TimeSpan.FromSeconds(20)));
        Assert.False(await InstallAsync(now));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_is_installed_is_found_as_it_was(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);

        var portal = await store.InstalledAsync();

        Assert.Equal(PortalState.Installed, portal.State);
        Assert.Equal(new Uri("https://portal.example.com/rest/"), portal.ClientEndpoint);
        Assert.Equal(new Uri("https://oauth.bitrix.info/"), portal.OAuthServer);
        Assert.Equal(TestStore.Tokens("first"), portal.Tokens);
        Assert.Equal(TokenState.Good, portal.TokenState);
        Assert.Equal(1, portal.UserId);
        Assert.Equal("", portal.Declaration);
        Assert.Null(await store.Portals.FindAsync(TestStore.NewId(), Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_installation_and_the_work_it_asks_for_are_stored_together(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);

        var portal = await store.InstalledAsync();

        var item = Assert.Single(await store.ClaimAsync(10));
        Assert.Equal((portal.Id, WorkKind.Reconcile), (item.Id, item.Kind));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Installing_again_keeps_the_removal_key_and_the_installation_but_brings_new_tokens(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var before = await store.InstalledAsync();
        await store.AdvanceAsync(TimeSpan.FromMinutes(1));

        await store.Portals.InstallAsync(TestStore.Installation(before.Id, "another") with { Tokens = TestStore.Tokens("second") }, Token);

        var after = await store.FindAsync(before.Id);
        Assert.Equal(before.RemovalKey, after.RemovalKey);
        Assert.Equal(before.Epoch, after.Epoch);
        Assert.Equal(TestStore.Tokens("second"), after.Tokens);
        Assert.NotEqual(before.TokensVersion, after.TokensVersion);
        Assert.NotEqual(before.ApplicationTokenHash, after.ApplicationTokenHash);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_old_portal_that_sends_no_application_token_keeps_the_known_one(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var before = await store.InstalledAsync();

        await store.Portals.InstallAsync(TestStore.Installation(before.Id, ""), Token);

        Assert.Equal(before.ApplicationTokenHash, (await store.FindAsync(before.Id)).ApplicationTokenHash);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_removal_key_leads_to_its_portal_alone(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var one = await store.InstalledAsync();
        var other = await store.InstalledAsync();

        Assert.Equal(one.Id, await store.Portals.FindByRemovalKeyAsync(one.RemovalKey.Reveal(), Token));
        Assert.NotEqual(one.RemovalKey, other.RemovalKey);
        Assert.Null(await store.Portals.FindByRemovalKeyAsync(one.RemovalKey.Reveal().ToUpperInvariant(), Token));
        Assert.Null(await store.Portals.FindByRemovalKeyAsync("", Token));
        await store.Portals.ReplaceRemovalKeyAsync(one.Id, new("another-key"), Token);
        Assert.Null(await store.Portals.FindByRemovalKeyAsync(one.RemovalKey.Reveal(), Token));
        Assert.Equal(one.Id, await store.Portals.FindByRemovalKeyAsync("another-key", Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_clean_uninstallation_takes_tokens_at_once_and_the_rest_a_day_later(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();
        await store.Loads.AddAsync([new(portal.Id, 1, 1, 0, 5)], Token);

        var heartbeats = store.Heartbeats;
        await heartbeats.AddAsync([new(portal.Id, Hour: 1, Loads: 1, Slow: 0, WorstMilliseconds: 90)], Token);
        Assert.True(await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: true, Token));

        var gone = await store.FindAsync(portal.Id);
        Assert.Equal((PortalState.Uninstalled, TokenState.None), (gone.State, gone.TokenState));
        Assert.Null(gone.Tokens);
        Assert.Null(gone.ApplicationTokenHash);
        Assert.Empty(await store.ClaimAsync(10));
        Assert.Equal(0, await store.Portals.DeleteExpiredAsync(10, Token));
        Assert.NotNull(await another.Portals.KnownAsync(portal.Id, Token));

        await store.AdvanceAsync(TimeSpan.FromHours(24));
        Assert.Equal(1, await store.Portals.DeleteExpiredAsync(10, Token));
        await another.Portals.FollowChangesAsync(Token);

        Assert.Null(await store.Portals.FindAsync(portal.Id, Token));
        Assert.Null(await another.Portals.KnownAsync(portal.Id, Token));
        Assert.Empty(await store.Loads.SinceAsync(portal.Id, 0, Token));
        Assert.Empty(await heartbeats.SinceAsync(portal.Id, 0, Token));
    }

    /// <summary>Whatever tables there will be by <c>member_id, app</c>.</summary>
    [Fact]
    public async Task No_table_keeps_a_row_of_a_portal_that_is_deleted()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: true, Token);
        var tables = await store.Database.QueryAsync(
            "SELECT t.name FROM sqlite_master t JOIN pragma_table_info(t.name) c ON c.name = 'app' WHERE t.type = 'table' AND t.name <> 'portals'",
            static r => r.GetString(0), Token);
        Assert.Contains("inbox", tables);
        foreach (var name in tables)
        {
            Sql table = name;
            var columns = await store.Database.QueryAsync(
                $"SELECT name, type FROM pragma_table_info({name}) WHERE \"notnull\" = 1 AND dflt_value IS NULL AND name NOT IN ('member_id', 'app')",
                static r => (Name: r.GetString(0), Value: r.GetString(1) == "TEXT" ? "''" : "9"), Token);
            await store.Database.ExecuteAsync(
                $"INSERT INTO {table} (member_id, app{(Sql)string.Concat(columns.Select(static c => ", " + c.Name))}) VALUES ({portal.Id.MemberId}, {portal.Id.App}{(Sql)string.Concat(columns.Select(static c => ", " + c.Value))})", Token);
        }

        await store.AdvanceAsync(TimeSpan.FromHours(25));
        Assert.Equal(1, await store.Portals.DeleteExpiredAsync(10, Token));

        foreach (var name in tables)
            Assert.False(await store.Database.AnyAsync($"SELECT 1 FROM {(Sql)name}", Token), $"{name} keeps one");
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Tokens_that_were_brought_since_then_were_not_asked_about(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var asked = await store.InstalledAsync();
        await store.Portals.InstallAsync(TestStore.Installation(asked.Id) with { Tokens = TestStore.Tokens("second") }, Token);

        Assert.False(await store.Portals.UninstallAsync(asked, static _ => true, static (_, _) => throw new InvalidOperationException("Told."), Token));

        Assert.Equal((PortalState.Installed, asked.Epoch), ((await store.FindAsync(asked.Id)).State, (await store.FindAsync(asked.Id)).Epoch));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_portal_is_not_deleted_before_its_events_are_handled(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Inbox.AddAsync(new(portal.Id, "uninstalled-1", "uninstalled", ""), Token);
        await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: true, Token);
        await store.AdvanceAsync(TimeSpan.FromHours(25));
        Assert.Equal(0, await store.Portals.DeleteExpiredAsync(10, Token));

        var waiting = await store.Inbox.NextAsync(portal.Id, Token);
        await store.Inbox.CompleteAsync(waiting!, Token);
        Assert.Equal(1, await store.Portals.DeleteExpiredAsync(10, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Work_that_was_deleted_and_comes_back_is_not_done_with_by_who_ran_the_earlier(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        await store.Work.RequestAsync(new(id, WorkKind.Uninstall), Token);
        var earlier = Assert.Single(await store.ClaimAsync(10));
        await store.AdvanceAsync(TimeSpan.FromSeconds(1));
        await store.Portals.InstallAsync(TestStore.Installation(id), Token);
        await store.Work.RequestAsync(new(id, WorkKind.Uninstall), Token);
        await store.Work.ClaimAsync(id, WorkKind.Uninstall, Token);

        await store.Work.CompleteAsync(earlier, Token);

        Assert.True(await store.Work.IsDueOrRunningAsync(id, WorkKind.Uninstall, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_reinstallation_within_the_day_finds_its_settings_and_is_not_deleted(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.UninstallAsync(portal.Id, portal.Epoch, clean: true, Token);
        await store.AdvanceAsync(TimeSpan.FromHours(1));

        await store.Portals.InstallAsync(TestStore.Installation(portal.Id), Token);
        await store.AdvanceAsync(TimeSpan.FromDays(2));

        Assert.Equal(0, await store.Portals.DeleteExpiredAsync(10, Token));
        Assert.Equal(portal.RemovalKey, (await store.FindAsync(portal.Id)).RemovalKey);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Tokens_of_a_portal_that_comes_back_never_have_an_earlier_version(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var before = await store.InstalledAsync();
        await store.Portals.UninstallAsync(before.Id, before.Epoch, clean: true, Token);
        await store.AdvanceAsync(TimeSpan.FromSeconds(1));
        await store.Portals.InstallAsync(TestStore.Installation(before.Id) with { Tokens = TestStore.Tokens("second") }, Token);

        // A refresh of the earlier installation is answered only now.
        Assert.False(await store.Portals.SetTokenStateAsync(before.Id, before.TokensVersion, TokenState.Dead, Token));
        Assert.False(await store.Portals.StoreRefreshedAsync(before.Id, before.TokensVersion, TestStore.Tokens("late"), Token));

        Assert.Equal(TestStore.Tokens("second"), (await store.FindAsync(before.Id)).Tokens);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_uninstallation_that_keeps_the_data_keeps_neither_tokens_nor_application_token(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var before = await store.InstalledAsync();

        await store.Portals.UninstallAsync(before.Id, before.Epoch, clean: false, Token);

        var after = await store.FindAsync(before.Id);
        Assert.Equal((PortalState.Uninstalled, TokenState.None), (after.State, after.TokenState));
        Assert.Null(after.Tokens);
        Assert.Null(after.ApplicationTokenHash);
        Assert.False(await store.Portals.ReplaceTokensAsync(before.Id, 1, TestStore.Tokens("late"), before.OAuthServer, Token));
        await store.AdvanceAsync(TimeSpan.FromSeconds(1));
        await store.Portals.InstallAsync(TestStore.Installation(before.Id), Token);
        var again = await store.FindAsync(before.Id);
        Assert.True(again.Epoch > before.Epoch);
        Assert.Equal(before.RemovalKey, again.RemovalKey);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_notice_about_an_earlier_installation_does_not_touch_the_present_one(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();

        Assert.False(await store.Portals.UninstallAsync(portal.Id, portal.Epoch - 1, clean: true, Token));
        Assert.False(await store.Portals.SuspendAsync(portal with { Epoch = portal.Epoch - 1 }, Token));
        Assert.False(await store.Portals.SaveReconciliationAsync(portal.Id, portal.Epoch - 1, "declared", "[]", Token));

        Assert.Equal(portal, await store.FindAsync(portal.Id));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_administrators_tokens_restore_a_suspended_portal(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        await store.Portals.SuspendAsync(portal, Token);
        Assert.Equal(PortalState.Suspended, (await store.FindAsync(portal.Id)).State);

        Assert.True(await store.Portals.ReplaceTokensAsync(portal.Id, 7, TestStore.Tokens("his"), portal.OAuthServer, Token));

        var after = await store.FindAsync(portal.Id);
        Assert.Equal((PortalState.Installed, 7, TestStore.Tokens("his")), (after.State, after.UserId, after.Tokens));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Portals_of_another_declaration_are_found_page_by_page_each_once(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var expected = new List<PortalId>();
        foreach (var declaration in new[] { "", "", "a", "a", "m", "z", "z" })
        {
            var portal = await store.InstalledAsync();
            await store.Portals.SaveReconciliationAsync(portal.Id, portal.Epoch, declaration, "[]", Token);
            if (declaration != "m")
                expected.Add(portal.Id);
        }

        var found = new List<PortalId>();
        DeclaredPortal? last = null;
        while (await store.Portals.OfOtherDeclarationAsync("m", last, 2, Token) is { Count: > 0 } page)
        {
            found.AddRange(page.Select(static p => p.Id));
            last = page[^1];
        }

        Assert.Equal(expected.OrderBy(static id => id.MemberId, StringComparer.Ordinal), found.OrderBy(static id => id.MemberId, StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task The_days_check_is_taken_by_one_of_many(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var portal = await store.InstalledAsync();
        var yesterday = store.Time.GetUtcNow() - TimeSpan.FromDays(1);

        var taken = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => (i % 2 == 0 ? store : another).Portals.TakeCheckAsync(portal.Id, yesterday, Token)));

        Assert.Single(taken, true);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Portals_are_counted_by_their_state(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await store.InstalledAsync();
        var dead = await store.InstalledAsync();
        await store.Portals.SetTokenStateAsync(dead.Id, dead.TokensVersion, TokenState.Dead, Token);
        var suspended = await store.InstalledAsync();
        await store.Portals.SuspendAsync(suspended, Token);
        var gone = await store.InstalledAsync();
        await store.Portals.UninstallAsync(gone.Id, gone.Epoch, clean: false, Token);

        Assert.Equal(new PortalCounts(2, 1, 1, 1, 0), await store.Portals.CountAsync(Token));
    }
}
