using System.Data.Common;
using System.Diagnostics;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Npgsql;

namespace Bitrix24Placements.Tests.Portals;

/// <summary>A PostgreSQL that says nothing is no better than one that is away, and holds nobody for longer.</summary>
public sealed class SilentDatabaseTests(ThrowawayPostgres postgres)
{
    private const int Connections = 8;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_asks_is_told_after_five_seconds_and_the_next_gets_a_connection_that_works()
    {
        var database = new NpgsqlConnectionStringBuilder(await postgres.NewDatabaseAsync());
        await using var relay = new TcpRelay(database.Port);
        (database.Host, database.Port) = ("127.0.0.1", relay.Port);
        await using var store = await OpenAsync(database.ConnectionString);
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => SleepAsync(store.Database, 0.3)));

        relay.Strand();
        var started = Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<DbException>(() => store.Database.ChangeAsync(static connection => connection.AnyAsync("SELECT 1"), Token));
        Assert.InRange(started.Elapsed.TotalSeconds, 4, 8);

        started.Restart();
        Assert.True(await store.Database.AnyAsync("SELECT 1", Token));
        Assert.True(started.Elapsed < TimeSpan.FromSeconds(3), $"{started.Elapsed}");
    }

    [Fact]
    public async Task What_is_given_up_ends_on_the_server_too_and_what_is_long_by_right_may_take_longer()
    {
        await using var store = await OpenAsync(await postgres.NewDatabaseAsync());
        var isLong = store.Database.RunLongAsync(static connection => connection.QueryAsync("SELECT 1 FROM pg_sleep(7)", static _ => true), Token);

        await Assert.ThrowsAnyAsync<DbException>(() => SleepAsync(store.Database, 60));

        Assert.Equal([true], await isLong);
        Assert.False(await store.Database.AnyAsync("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()", Token));
    }

    [Fact]
    public async Task A_transaction_whose_instance_has_stopped_is_ended_by_the_server()
    {
        var database = await postgres.NewDatabaseAsync();
        await using var store = await OpenAsync(database);
        await using var configured = await OpenAsync(database + ";Options=-c idle_in_transaction_session_timeout=7s");

        Assert.Equal(["5s"], await store.Database.ChangeAsync(IdleTimeoutAsync, Token));
        Assert.Equal(["0"], await store.Database.RunAsync(IdleTimeoutAsync, Token));
        Assert.Equal(["7s"], await configured.Database.ChangeAsync(IdleTimeoutAsync, Token));
    }

    [Fact]
    public async Task Threads_that_its_driver_holds_are_not_missing_where_pages_are_answered()
    {
        await using var store = await OpenAsync(await postgres.NewDatabaseAsync() + ";Maximum Pool Size=60");

        ThreadPool.GetMinThreads(out var threads, out _);

        Assert.True(threads > 60, $"{threads}");
    }

    private static Task<TestStore> OpenAsync(string connectionString) =>
        TestStore.OpenAsync(new StorageOptions { Provider = StorageProvider.PostgreSql, ConnectionString = connectionString });

    private static Task<List<string>> IdleTimeoutAsync(Connection connection) =>
        connection.QueryAsync("SHOW idle_in_transaction_session_timeout", static r => r.GetString(0));

    private static Task<bool> SleepAsync(Database database, double seconds) => database.AnyAsync($"SELECT 1 FROM pg_sleep({seconds})", Token);
}
