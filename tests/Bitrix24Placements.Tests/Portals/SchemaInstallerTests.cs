using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class SchemaInstallerTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Instances_that_start_together_on_an_empty_database_take_turns(StorageProvider provider)
    {
        await using var first = await TestStore.OpenAsync(provider, postgres, schema: false);
        var others = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => TestStore.OpenAsync(first.Storage, schema: false)));

        await Task.WhenAll(others.Append(first).Select(store => Task.Run(() => store.Get<SchemaInstaller>().EnsureAsync(Token), Token)));

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], await first.Database.QueryAsync("SELECT version FROM schema_versions", static r => r.GetInt32(0), Token));
        await first.InstalledAsync();
        foreach (var other in others)
            await other.DisposeAsync();
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_is_stored_outlives_the_next_start(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();

        await using var next = await store.OpenAnotherAsync();

        Assert.Equal(portal, await next.FindAsync(portal.Id));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_database_of_a_newer_version_is_not_touched(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await store.Database.ExecuteAsync("INSERT INTO schema_versions (version) VALUES (999)", Token);

        var refused = await Assert.ThrowsAsync<SchemaTooNewException>(store.OpenAnotherAsync);

        Assert.Contains("999", refused.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_newer_version_that_has_only_added_something_can_be_lived_with(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var portal = await store.InstalledAsync();
        var known = (await store.Database.QueryAsync("SELECT MAX(version) FROM schema_versions", static r => r.GetInt32(0), Token)).Single();
        await store.Database.ExecuteAsync($"INSERT INTO schema_versions (version) VALUES ({known + 1})", Token);
        await store.Database.ExecuteAsync($"INSERT INTO schema_compatibility (version, oldest) VALUES ({known + 1}, {known})", Token);

        await using (var older = await store.OpenAnotherAsync())
            Assert.NotNull(await older.Portals.FindAsync(portal.Id, Token));

        await store.Database.ExecuteAsync($"UPDATE schema_compatibility SET oldest = {known + 1} WHERE version = {known + 1}", Token);
        await Assert.ThrowsAsync<SchemaTooNewException>(store.OpenAnotherAsync);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_start_that_was_killed_in_the_middle_leaves_nothing_half_done(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres, schema: false);
        store.Database.MakeFile();
        // Where the connection ends without a commit, so does everything it did.
        await store.Database.RunAsync(async connection =>
        {
            await using var transaction = await connection.Driver.BeginTransactionAsync(connection.Token);
            await using var command = connection.Driver.CreateCommand();
            command.CommandText = "CREATE TABLE schema_versions (version INTEGER NOT NULL PRIMARY KEY); CREATE TABLE portals (member_id TEXT)";
            return await command.ExecuteNonQueryAsync(connection.Token);
        }, Token);

        await store.Get<SchemaInstaller>().EnsureAsync(Token);

        await store.InstalledAsync();
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task The_first_version_of_the_schema_is_brought_forward_with_what_is_in_it(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres, schema: false);
        store.Database.MakeFile();
        using var script = new StreamReader(typeof(SchemaInstaller).Assembly.GetManifestResourceStream("Bitrix24Placements.Storage.Schema.001-portals.sql")!);
        await store.Database.ExecuteAsync(await script.ReadToEndAsync(Token), Token);
        await store.Database.ExecuteAsync("CREATE TABLE schema_versions (version INTEGER NOT NULL PRIMARY KEY)", Token);
        await store.Database.ExecuteAsync("INSERT INTO schema_versions (version) VALUES (1)", Token);
        await store.Database.ExecuteAsync("INSERT INTO work (member_id, kind, due_at, attempt, request, created_at, lease_till) VALUES ('00000000000000000000000000000001', 'reconcile', 0, 0, 1, 0, 0)", Token);

        await store.Get<SchemaInstaller>().EnsureAsync(Token);

        Assert.Equal(new PortalId("00000000000000000000000000000001"), Assert.Single(await store.ClaimAsync(10)).Id);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_found_out_at_the_start()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var readOnly = new StorageOptions { ConnectionString = store.Storage.ConnectionString + ";Mode=ReadOnly" };

        var refused = await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => TestStore.OpenAsync(readOnly));

        Assert.Contains("readonly", refused.Message, StringComparison.Ordinal);
    }
}
