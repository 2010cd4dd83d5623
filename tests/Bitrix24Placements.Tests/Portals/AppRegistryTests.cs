using Bitrix24Placements.Apps;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class AppRegistryTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Dictionary<string, string?> Configured => new()
    {
        ["Bitrix24:ClientId"] = "app.default",
        ["Bitrix24:ClientSecret"] = "default-secret",
        ["Bitrix24:Apps:fixed:ClientId"] = "local.fixed",
        ["Bitrix24:Apps:fixed:ClientSecret"] = "fixed-secret",
    };

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_added_app_is_known_to_every_instance_after_a_look(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres, apps: Configured);
        await using var another = await store.OpenAnotherAsync();
        var before = another.Get<AppRegistry>().All;

        await store.Get<AppRegistry>().AddAsync(new("customer", "local.customer", new("a-customers-secret"), "code"), Token);
        Assert.Equal("local.customer", store.Get<AppRegistry>().Find("customer")?.ClientId);
        await another.Get<AppRegistry>().RefreshAsync(Token);
        var added = another.Get<AppRegistry>().All;
        await another.Get<AppRegistry>().RefreshAsync(Token);

        var app = another.Get<AppRegistry>().FindByClientId("local.customer");
        Assert.Equal(("customer", "a-customers-secret", "code"), (app?.Name, app?.ClientSecret.Reveal(), app?.AppCode));
        Assert.NotSame(before, added);
        Assert.Same(added, another.Get<AppRegistry>().All);
        Assert.Equal(["default", "fixed", "customer"], (await store.Get<AppRegistry>().ListAsync(Token)).Select(static a => a.Name));
        var rows = await store.Database.QueryAsync("SELECT secret FROM apps", static r => r.GetString(0), Token);
        Assert.DoesNotContain("secret", rows.Single(), StringComparison.Ordinal);

        await store.Get<AppRegistry>().RemoveAsync("customer", Token);
        await another.Get<AppRegistry>().RefreshAsync(Token);
        Assert.Null(another.Get<AppRegistry>().Find("customer"));
        Assert.NotSame(added, another.Get<AppRegistry>().All);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task The_previous_secret_stays_until_the_new_one_has_worked(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var apps = store.Get<AppRegistry>();
        await apps.AddAsync(new("customer", "local.customer", new("first"), null), Token);

        await apps.RotateAsync("customer", new("mistyped"), Token);
        await apps.RotateAsync("customer", new("second"), Token);
        Assert.Equal(("second", "first"), (apps.Find("customer")?.ClientSecret.Reveal(), apps.Find("customer")?.PreviousSecret?.Reveal()));

        await apps.ConfirmSecretAsync("customer", Token);
        Assert.Equal(("second", null), (apps.Find("customer")?.ClientSecret.Reveal(), apps.Find("customer")?.PreviousSecret));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_in_a_sentence()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres, apps: Configured);
        var apps = store.Get<AppRegistry>();
        await apps.AddAsync(new("customer", "local.customer", new("secret"), null), Token);

        foreach (var (name, clientId) in new[] { ("default", "a"), ("fixed", "b"), ("new", "local.fixed"), ("customer", "c"), ("new", "local.customer"), ("no name", "d"), ("new", " ") })
            await Assert.ThrowsAsync<AppException>(() => apps.AddAsync(new(name, clientId, new("secret"), null), Token));
        await Assert.ThrowsAsync<AppException>(() => apps.RotateAsync("absent", new("secret"), Token));
        await Assert.ThrowsAsync<AppException>(() => apps.RotateAsync("fixed", new("secret"), Token));
        await Assert.ThrowsAsync<AppException>(() => apps.RemoveAsync("absent", Token));

        await store.Portals.InstallAsync(TestStore.Installation(new(TestStore.NewId().MemberId, "customer")), Token);
        await apps.RemoveAsync("customer", Token);
        await Assert.ThrowsAsync<AppException>(() => apps.AddAsync(new("customer", "local.another", new("secret"), null), Token));
        await apps.AddAsync(new("renamed", "local.customer", new("secret"), null), Token);
        await Assert.ThrowsAsync<AppException>(() => apps.AddAsync(new("customer", "local.another", new("secret"), null), Token));
        await apps.RemoveAsync("renamed", Token);
        await apps.AddAsync(new("customer", "local.customer", new("secret"), null), Token);
        Assert.Equal(3, apps.All.Count);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_name_stays_with_its_client_id_when_it_has_left_the_configuration(StorageProvider provider)
    {
        await using (var configured = await TestStore.OpenAsync(provider, postgres, apps: Configured))
        {
            await configured.Get<AppRegistry>().PrepareAsync(Token);
            await configured.Get<AppRegistry>().PrepareAsync(Token);
            await configured.Portals.InstallAsync(TestStore.Installation(new(TestStore.NewId().MemberId, "fixed")), Token);
            await using var store = await TestStore.OpenAsync(configured.Storage);
            var apps = store.Get<AppRegistry>();
            await apps.PrepareAsync(Token);

            Assert.Empty(await apps.ListAsync(Token));
            await Assert.ThrowsAsync<AppException>(() => apps.AddAsync(new("fixed", "local.another", new("secret"), null), Token));
            await apps.AddAsync(new("fixed", "local.fixed", new("secret"), null), Token);
            Assert.Equal("local.fixed", apps.Find("fixed")?.ClientId);
        }
    }

    [Fact]
    public async Task Another_client_id_in_the_configuration_is_told_where_there_are_installations_of_the_one_before()
    {
        await using var configured = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres, apps: Configured);
        var before = new[] { new RegisteredApp("fixed", "local.before", new("secret"), null), new("empty", "local.empty", new("secret"), null) };
        Assert.Empty(await configured.Get<AppStore>().NoteConfiguredAsync(before, Token));
        await configured.Portals.InstallAsync(TestStore.Installation(new(TestStore.NewId().MemberId, "fixed")), Token);
        RegisteredApp[] after = [before[0] with { ClientId = "local.fixed" }, before[1] with { ClientId = "local.another" }];

        Assert.Equal([("fixed", "local.before")], await configured.Get<AppStore>().NoteConfiguredAsync(after, Token));
        Assert.Empty(await configured.Get<AppStore>().NoteConfiguredAsync(after, Token));
    }

    [Fact]
    public async Task A_name_that_the_database_has_with_another_client_id_is_told_at_every_start()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        await store.Get<AppRegistry>().AddAsync(new("fixed", "local.other", new("other-secret"), null), Token);
        await store.Get<AppRegistry>().AddAsync(new("same", "local.same", new("same-secret"), null), Token);
        RegisteredApp[] configured = [new("fixed", "local.fixed", new("secret"), null), new("same", "local.same", new("secret"), null)];

        for (var i = 0; i < 2; i++)
            Assert.Equal([("fixed", "local.other")], await store.Get<AppStore>().NoteConfiguredAsync(configured, Token));
        Assert.Equal("local.other", store.Get<AppRegistry>().Find("fixed")?.ClientId);
    }

    [Fact]
    public async Task The_configuration_wins_and_a_row_that_cannot_be_read_is_nobody_elses_trouble()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        await store.Get<AppRegistry>().AddAsync(new("fixed", "local.other", new("other-secret"), null), Token);
        await store.Get<AppRegistry>().AddAsync(new("good", "local.good", new("good-secret"), null), Token);
        await store.Database.ExecuteAsync("INSERT INTO apps (name, client_id, secret, changed_at) VALUES ('bad', 'local.bad', 'not encrypted', 0)", Token);

        await using var next = await TestStore.OpenAsync(store.Storage, apps: Configured);

        Assert.Equal(["default", "fixed", "good"], (await next.Get<AppRegistry>().ListAsync(Token)).Select(static a => a.Name));
        Assert.Equal("local.fixed", next.Get<AppRegistry>().Find("fixed")?.ClientId);
    }
}
