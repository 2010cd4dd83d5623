using System.Net;
using Bitrix24Placements.Tests.Harness;
using Npgsql;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>An address that has guessed keys costs the database one query at a time, and no genuine notice is lost by it.</summary>
public sealed class RemovalNoticeLimitTests(ThrowawayPostgres postgres) : IDisposable
{
    private const string Path = "/placements/page-background-worker/removed/";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Over_its_limit_one_key_at_a_time_is_looked_up_and_one_of_no_form_is_not()
    {
        var database = await postgres.NewDatabaseAsync();
        var settings = Certificates.Settings(database, Certificates.Make(_folder, "limits"));
        settings["Limits:UnverifiedPerMinute"] = "1";
        await using var service = await Service.StartInstalledAsync(settings);
        var genuine = new Uri(service.Portal.RemovalUrl()!).AbsolutePath;
        using (var guessed = await service.PostAsync(Path + new string('0', 64), []))
            Assert.Equal(HttpStatusCode.NotFound, guessed.StatusCode);
        using (var formless = await service.PostAsync(Path + "x", []))
            Assert.Equal(HttpStatusCode.TooManyRequests, formless.StatusCode);
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using (var holding = new NpgsqlCommand("LOCK TABLE portals IN ACCESS EXCLUSIVE MODE", connection, transaction))
            await holding.ExecuteNonQueryAsync(Token);

        var first = service.PostAsync(genuine, []);
        await service.EventuallyAsync(() => IsWaitedForAsync(database), "the first key is looked up");
        using (var second = await service.PostAsync(Path + new string('1', 64), []))
            Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        await transaction.RollbackAsync(Token);

        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
    }

    /// <summary>Whether whoever looks a key up waits for the locked table.</summary>
    private static async Task<bool> IsWaitedForAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Token);
        await using var waiting = new NpgsqlCommand(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%WHERE removal_key_hash%'", connection);
        return (long)(await waiting.ExecuteScalarAsync(Token))! > 0;
    }

    public void Dispose() => _folder.Delete(true);
}
