using System.Net;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>A process is killed while it makes the schema: the next one makes it whole, whatever was there.</summary>
public sealed class KilledInSchemaTests(ThrowawayPostgres postgres)
{
    /// <summary>A process needs so long, on a machine that has time, until it has made the schema.</summary>
    private const int LatestKill = 900;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(9)]
    public async Task On_PostgreSQL_in_the_middle_of_the_script(int statement)
    {
        await using var fleet = await Fleet.OnPostgreSqlAsync(postgres, 1);
        // The server itself stops the script there, until the lock is free.
        await fleet.ExecuteAsync(
            $"""
            CREATE SEQUENCE statements;
            CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN IF nextval(''statements'') = {statement} THEN PERFORM pg_advisory_xact_lock(1); END IF; END';
            CREATE EVENT TRIGGER stop ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE INDEX') EXECUTE FUNCTION stop();
            """);
        await using (var connection = await fleet.ConnectAsync())
        {
            await using var held = await connection.BeginTransactionAsync(Token);
            await using var hold = connection.CreateCommand();
            hold.CommandText = "SELECT pg_advisory_xact_lock(1)";
            await hold.ExecuteNonQueryAsync(Token);
            fleet.Begin(0);
            await fleet.EventuallyAsync(async () => await fleet.CountAsync("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0, "the script is stopped");
            await fleet.KillAsync(0);
            // The next one begins while the server has not noticed yet that nobody is there any more.
            fleet.Begin(0);
            await Task.Delay(500, Token);
        }

        await AssertServesAsync(fleet);
    }

    [Fact]
    public async Task On_PostgreSQL_at_any_instant_of_the_start()
    {
        await using var fleet = await Fleet.OnPostgreSqlAsync(postgres, 2);
        await KillAtRandomAsync(fleet);
        await AssertServesAsync(fleet);
    }

    [Fact]
    public async Task On_SQLite_at_any_instant_of_the_start()
    {
        await using var fleet = await Fleet.OnSqliteAsync();
        await KillAtRandomAsync(fleet);
        await AssertServesAsync(fleet);
    }

    private static async Task KillAtRandomAsync(Fleet fleet)
    {
        for (var i = 0; i < 4; i++)
        {
            fleet.Begin(0);
            await Task.Delay(Random.Shared.Next(100, LatestKill), Token);
            await fleet.KillAsync(0);
        }
    }

    private static async Task AssertServesAsync(Fleet fleet)
    {
        await fleet.StartAsync();
        Assert.Equal(SchemaInstaller.Newest, await fleet.CountAsync("SELECT COUNT(*) FROM schema_versions"));
        var portal = await fleet.AddPortalAsync();
        foreach (var instance in fleet.Living)
            Assert.Equal((HttpStatusCode.Accepted, null), await instance.TrySignalAsync(portal));
    }
}
