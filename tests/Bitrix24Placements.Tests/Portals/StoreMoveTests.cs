using System.Diagnostics;
using System.Net;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Tests.Portals;

public sealed class StoreMoveTests(ThrowawayPostgres postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Every_table_moves_but_those_that_each_database_has_for_itself(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        Sql tables = provider == StorageProvider.Sqlite ? "SELECT name FROM sqlite_master WHERE type = 'table'"
            : "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()";
        var names = await store.Database.QueryAsync(tables, static r => r.GetString(0), Token);
        Assert.Equal(MovedTable.All.Select(static t => t.Name).Order(), names.Except(["clock_offset", "data_protection_keys", "portal_changes", "schema_compatibility", "schema_versions", "sqlite_sequence"]).Order());
    }

    [Fact]
    public async Task Everything_moves_and_the_tokens_stand_under_the_new_keys()
    {
        await using var source = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var portals = new List<Portal> { await source.InstalledAsync(), await source.InstalledAsync() };
        var gone = await source.InstalledAsync();
        await source.Portals.UninstallAsync(gone.Id, gone.Epoch, clean: false, Token);
        portals.Add(await source.FindAsync(gone.Id));
        var pending = TestStore.Named("pending");
        var claim = source.Get<TokenVault>().Protect(pending, "install", "a claim");
        Assert.True(await source.Get<KeptInstallations>().KeepAsync(pending, WorkKind.Install + "1", TimeSpan.Zero, claim, "", Token));
        // Another app's values are bound to that app, too.
        var other = new PortalId(portals[0].Id.MemberId, "other");
        await source.Portals.InstallAsync(TestStore.Installation(other) with { ApplicationToken = new("the other app's own") }, Token);
        portals.Add(await source.FindAsync(other));
        Assert.True(await source.Inbox.AddAsync(new(portals[0].Id, "1", "ONCRMDEALADD", "an event"), Token));
        await source.Loads.AddAsync([new(TestStore.Named("one"), 100, 5, 1, 6000)], Token);
        WorkerHour[] beats =
            [new(portals[0].Id, 100, 5, 1, 6000) { TotalMilliseconds = 9000 }, new(other, 100, 7, 0, 100) { TotalMilliseconds = 700 }];
        await source.Heartbeats.AddAsync(beats, Token);
        await source.Get<AppRegistry>().AddAsync(new("other", "local.other.1", new("a secret of another app"), "vendor.other"), Token);
        await source.Get<AppRegistry>().RotateAsync("other", new("its new secret"), Token);
        Assert.NotNull(await source.Work.ClaimAsync(portals[0].Id, WorkKind.Reconcile, Token));

        var target = await TargetAsync();
        var (code, output) = await MoveAsync(source, target);

        Assert.True(code == 0, output);
        Assert.Contains("portals: 4, all", output, StringComparison.Ordinal);
        await using var moved = await TestStore.OpenAsync(new StorageOptions { Provider = StorageProvider.PostgreSql, ConnectionString = target["Storage:ConnectionString"]! }, settings: target);
        foreach (var portal in portals)
        {
            Assert.Equal(portal, await moved.FindAsync(portal.Id));
            Assert.Equal(portal.Id, await moved.Portals.FindByRemovalKeyAsync(portal.RemovalKey.Reveal(), Token));
        }

        var work = await moved.ClaimAsync(10);
        Assert.Equal(5, work.Count);
        Assert.Equal("a claim", moved.Get<TokenVault>().Unprotect(pending, "install", work.Single(w => w.Id == pending).Payload!));
        Assert.Equal("an event", (await moved.Inbox.NextAsync(portals[0].Id, Token))?.Payload);
        Assert.Equal([new(TestStore.Named("one"), 100, 5, 1, 6000)], await moved.Loads.SinceAsync(TestStore.Named("one"), 0, Token));
        foreach (var hour in beats)
            Assert.Equal([hour], await moved.Heartbeats.SinceAsync(hour.Id, 0, Token));
        var app = Assert.Single(await moved.Get<AppRegistry>().ListAsync(Token), static a => a.Name == "other");
        Assert.Equal(("local.other.1", "vendor.other", "its new secret", "a secret of another app"),
            (app.ClientId, app.AppCode, app.ClientSecret.Reveal(), app.PreviousSecret?.Reveal()));
        // The source is as it was.
        Assert.Equal(portals[0], await source.FindAsync(portals[0].Id));
    }

    [Fact]
    public async Task A_database_that_holds_anything_is_left_alone()
    {
        await using var source = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        await source.InstalledAsync();
        var target = await TargetAsync();
        Assert.Equal(0, (await MoveAsync(source, target)).Code);

        var (code, output) = await MoveAsync(source, target);

        Assert.Equal(1, code);
        Assert.Contains("not empty", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_still_in_the_spool_is_not_left_behind()
    {
        await using var source = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        await source.InstalledAsync();
        Assert.True(await source.Get<Spool>().PutAsync("events", "portal", "told once", null, Token));
        var target = await TargetAsync();

        var (code, output) = await MoveAsync(source, target);

        Assert.Equal(1, code);
        Assert.Contains("holds what is not in the database yet", output, StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(source.Storage.SpoolFolder))
            File.Delete(file);
        Assert.Equal(0, (await MoveAsync(source, target)).Code);
    }

    [Fact]
    public async Task A_move_that_fails_in_the_middle_leaves_the_target_empty()
    {
        await using var source = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        await source.InstalledAsync();
        // A number that PostgreSQL's column cannot hold: the portals are copied by then.
        await source.Database.ExecuteAsync("UPDATE work SET attempt = 99999999999", Token);
        var target = await TargetAsync();

        var (code, _) = await MoveAsync(source, target);

        Assert.NotEqual(0, code);
        await using var moved = await TestStore.OpenAsync(new StorageOptions { Provider = StorageProvider.PostgreSql, ConnectionString = target["Storage:ConnectionString"]! }, settings: target);
        Assert.Equal(new PortalCounts(0, 0, 0, 0, 0), await moved.Portals.CountAsync(Token));
    }

    [Fact]
    public async Task Tokens_whose_keys_are_lost_arrive_as_dead_and_are_counted()
    {
        await using var source = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var readable = await source.InstalledAsync();
        var lost = await source.InstalledAsync();
        await source.Database.ExecuteAsync($"UPDATE portals SET tokens = 'nonsense', removal_key = 'nonsense', declaration = 'declared' WHERE member_id = {lost.Id.MemberId}", Token);
        foreach (var id in new[] { "kept", "lost" })
            Assert.True(await source.Inbox.AddAsync(new(readable.Id, id, "ONCRMDEALADD", "an event"), Token));
        await source.Database.ExecuteAsync("UPDATE inbox SET payload = 'nonsense' WHERE id = 'lost'", Token);
        var target = await TargetAsync();

        var (code, output) = await MoveAsync(source, target);

        Assert.Equal(0, code);
        Assert.Contains("tokens of 1 portals cannot be read", output, StringComparison.Ordinal);
        Assert.Contains("inbox: 1; 1 cannot be read", output, StringComparison.Ordinal);
        await using var moved = await TestStore.OpenAsync(new StorageOptions { Provider = StorageProvider.PostgreSql, ConnectionString = target["Storage:ConnectionString"]! }, settings: target);
        Assert.Equal(readable.Tokens, (await moved.FindAsync(readable.Id)).Tokens);
        var dead = await moved.FindAsync(lost.Id);
        Assert.Equal((PortalState.Installed, TokenState.Dead, ""), (dead.State, dead.TokenState, dead.Declaration));
        Assert.True(dead.RemovalKey.IsEmpty);
    }

    [Theory]
    [InlineData("", "--from")]
    [InlineData("Nonsense", "--from")]
    [InlineData("Data Source=/no/such/file.db", "no file")]
    public async Task Without_a_source_nothing_happens(string from, string said)
    {
        var (code, output) = await RunAsync(await TargetAsync(), from);

        Assert.Equal(1, code);
        Assert.Contains(said, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_target_has_to_be_PostgreSQL()
    {
        await using var source = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);

        var (code, output) = await RunAsync(new() { ["Storage:ConnectionString"] = source.Storage.ConnectionString }, source.Storage.ConnectionString);

        Assert.Equal(1, code);
        Assert.Contains("Storage:Provider", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_moved_service_goes_on_where_it_was()
    {
        await using var before = await Service.StartInstalledAsync();
        await before.StopAsync();
        var settings = await TargetAsync();
        var (code, output) = await RunAsync(settings, $"Data Source={Path.Combine(before.Folder.FullName, "placements.db")}");
        Assert.True(code == 0, output);
        before.Portal.Calls.Clear();
        before.Portal.ExpireTokens();

        await using var after = await Service.StartAsync(settings, before.Bitrix, port: before.Url.Port);

        using var worker = await after.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        using var signal = await after.ApiAsync("/api/signals", new System.Text.Json.Nodes.JsonObject { ["memberId"] = after.Portal.MemberId, ["command"] = "ping" });
        Assert.Equal(HttpStatusCode.Accepted, signal.StatusCode);
        Assert.DoesNotContain(after.Portal.Calls, static c => c.Method is "placement.bind" or "placement.unbind");
    }

    public void Dispose() => _folder.Delete(true);

    private async Task<Dictionary<string, string?>> TargetAsync() => Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(_folder, Guid.NewGuid().ToString("n")));

    private static Task<(int Code, string Output)> MoveAsync(TestStore source, Dictionary<string, string?> target) => RunAsync(target, source.Storage.ConnectionString);

    /// <summary>The command as an operator gives it.</summary>
    private static async Task<(int Code, string Output)> RunAsync(Dictionary<string, string?> settings, string from)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Bitrix24Placements.Hosting.Draining).Assembly.Location, StoreMove.Command, "--from", from]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in settings)
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(Token);
        var output = await process.StandardOutput.ReadToEndAsync(Token) + await errors;
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, output);
    }
}
