using System.Net;
using System.Runtime.Versioning;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Microsoft.Data.Sqlite;

namespace Bitrix24Placements.Tests.Instances;

public sealed class SqliteFileTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_that_is_deleted_while_the_service_runs_is_put_back_with_all_that_was_in_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there can an open file be deleted and told from its successor.");
        await using var service = await Service.StartInstalledAsync();
        var path = service.Get<Database>().FilePath!;
        await Task.Delay(TimeSpan.FromSeconds(3), Token);

        File.Delete(path);

        await service.EventuallyAsync(() => service.Logs.Any(static l => l.Contains("was put back", StringComparison.Ordinal)), "put back");
        Assert.Contains(service.Logs, static l => l.StartsWith("Critical: ", StringComparison.Ordinal) && l.Contains("was deleted while", StringComparison.Ordinal));
        Assert.True(File.Exists(path));
        await service.StopAsync();
        await using var next = await Service.StartAsync(bitrix: service.Bitrix, folder: service.Folder);
        Assert.Equal(TokenState.Good, (await next.Get<PortalStore>().FindAsync(next.Portal.Id, Token))?.TokenState);
    }

    [Fact]
    public async Task The_newest_changes_outlive_the_log_that_held_them()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there can an open file be deleted and told from its successor.");
        await using var fleet = await (await Fleet.OnSqliteAsync()).StartAsync();
        var portal = await fleet.AddPortalAsync();
        var log = Path.Combine(fleet.Folder.FullName, "data", "placements.db-wal");
        await Task.Delay(TimeSpan.FromSeconds(5), Token);
        Assert.True(File.Exists(log));

        File.Delete(log);
        File.Delete(log.Replace("-wal", "-shm", StringComparison.Ordinal));

        await fleet[0].LineAsync("was put back");
        Assert.Contains("placements.db-wal\\\" was \\\"deleted\\\" while", fleet[0].Output, StringComparison.Ordinal);
        await fleet.EventuallyAsync(() => Task.FromResult(File.Exists(log)), "it has a log again");
        await fleet.KillAsync(0);
        await fleet.StartAsync();
        Assert.Equal((HttpStatusCode.Accepted, null), await fleet[0].TrySignalAsync(portal));
    }

    [Fact]
    public async Task A_file_that_is_replaced_while_the_service_runs_ends_it_and_what_was_in_the_earlier_one_is_saved()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there can an open file be replaced and told from its successor.");
        await using var fleet = await (await Fleet.OnSqliteAsync()).StartAsync();
        var portal = await fleet.AddPortalAsync();
        var data = Path.Combine(fleet.Folder.FullName, "data");
        await Task.Delay(TimeSpan.FromSeconds(4), Token);

        await File.WriteAllBytesAsync(Path.Combine(data, "another.db"), [], Token);
        File.Move(Path.Combine(data, "another.db"), Path.Combine(data, "placements.db"), overwrite: true);

        Assert.Equal(1, await fleet[0].EndedAsync());
        Assert.Contains("was \\\"replaced\\\" while the service is running", fleet[0].Output, StringComparison.Ordinal);
        var saved = Assert.Single(Directory.GetFiles(data, "placements.db.rescued-*"));
        await fleet.KillAsync(0);
        File.Move(saved, Path.Combine(data, "placements.db"), overwrite: true);
        foreach (var rest in Directory.GetFiles(data, "placements.db-*"))
            File.Delete(rest);
        await fleet.StartAsync();
        Assert.Equal((HttpStatusCode.Accepted, null), await fleet[0].TrySignalAsync(portal));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task One_that_can_only_be_read_at_the_start_is_used_as_soon_as_it_can_be_written()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A file has no mode.");
        await using var fleet = await (await Fleet.OnSqliteAsync()).StartAsync();
        var portal = await fleet.AddPortalAsync();
        Assert.Equal(0, await fleet[0].TerminateAsync());
        await fleet.KillAsync(0);
        var file = Path.Combine(fleet.Folder.FullName, "data", "placements.db");
        File.SetUnixFileMode(file, UnixFileMode.UserRead);

        var process = fleet.Begin(0, heedsFileModes: true);
        await fleet.EventuallyAsync(() => Task.FromResult(process.Output.Contains("cannot be used yet", StringComparison.Ordinal)), "it waits");
        Assert.Null(await process.HealthAsync());
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        // SQLite may have made files beside it meanwhile, with the mode that it had.
        if (!File.Exists(file + "-shm"))
            await File.WriteAllBytesAsync(file + "-shm", [], Token);
        File.SetUnixFileMode(file + "-shm", UnixFileMode.UserRead);
        await process.ReadyAsync();
        Assert.Equal((HttpStatusCode.Accepted, null), await process.TrySignalAsync(portal));
    }

    [Fact]
    public async Task A_damaged_one_is_told_at_the_start()
    {
        await using var service = await Service.StartInstalledAsync();
        var path = service.Get<Database>().FilePath!;
        await service.StopAsync();
        await using (var connection = new SqliteConnection($"Data Source={path};Pooling=false"))
        {
            await connection.OpenAsync(Token);
            await using var checkpoint = connection.CreateCommand();
            checkpoint.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            await checkpoint.ExecuteNonQueryAsync(Token);
        }

        var bytes = await File.ReadAllBytesAsync(path, Token);
        bytes.AsSpan(^8192..).Fill(0xFF);
        await File.WriteAllBytesAsync(path, bytes, Token);

        await using var next = await Service.StartAsync(bitrix: service.Bitrix, folder: service.Folder);

        await next.EventuallyAsync(() => next.Logs.Any(static l => l.StartsWith("Critical: ", StringComparison.Ordinal) && l.Contains("is damaged", StringComparison.Ordinal)), "it is told");
    }

    [Fact]
    public async Task A_new_one_beside_the_keys_of_an_earlier_one_is_warned_of()
    {
        await using var service = await Service.StartInstalledAsync();
        Assert.DoesNotContain(service.Logs, static l => l.Contains("keys of an earlier one", StringComparison.Ordinal));
        var path = service.Get<Database>().FilePath!;
        await service.StopAsync();
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(path)!, "placements.db*"))
            File.Delete(file);

        await using var next = await Service.StartAsync(bitrix: service.Bitrix, folder: service.Folder);

        await next.EventuallyAsync(() => next.Logs.Any(static l => l.StartsWith("Warning: ", StringComparison.Ordinal) && l.Contains("keys of an earlier one", StringComparison.Ordinal)), "it is warned of");
    }

    [Fact]
    public async Task A_schema_that_is_too_new_is_told_in_one_line_and_ends_the_process_with_status_1()
    {
        await using var fleet = await (await Fleet.OnSqliteAsync()).StartAsync();
        Assert.Equal(0, await fleet[0].TerminateAsync());
        await fleet.KillAsync(0);
        await fleet.ExecuteAsync("INSERT INTO schema_versions (version) VALUES (999)");

        var process = fleet.Begin(0);

        Assert.Equal(1, await process.EndedAsync());
        Assert.Single(process.Output.Split('\n'), static l => l.Contains("run the newer version", StringComparison.Ordinal));
        Assert.DoesNotContain("\"@x\"", process.Output, StringComparison.Ordinal);
    }
}
