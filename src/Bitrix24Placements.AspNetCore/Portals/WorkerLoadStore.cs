using System.Data.Common;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <param name="Hour">Hours since 1970.</param>
/// <param name="Slow">Loads over five seconds.</param>
/// <param name="WorstMilliseconds">The slowest load.</param>
internal sealed record WorkerHour(PortalId Id, long Hour, long Loads, long Slow, long WorstMilliseconds);

/// <summary>Worker loads by portal and hour; every instance adds its own.</summary>
internal sealed class WorkerLoadStore(Database database)
{
    /// <summary>Others write in between: SQLite has one writer at a time.</summary>
    private const int PerTransaction = 500;

    public async Task AddAsync(IReadOnlyList<WorkerHour> hours, CancellationToken cancellationToken)
    {
        foreach (var some in hours.Chunk(PerTransaction))
            await database.RunAsync((connection, token) => AddAsync(connection, some, token), cancellationToken);
    }

    private static async Task<bool> AddAsync(DbConnection connection, WorkerHour[] hours, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = connection.Command(
            """
            INSERT INTO worker_hours (member_id, app, hour, loads, slow, worst_ms) VALUES (@id, @app, @hour, @loads, @slow, @worst)
            ON CONFLICT (member_id, app, hour) DO UPDATE SET loads = worker_hours.loads + @loads, slow = worker_hours.slow + @slow,
                worst_ms = CASE WHEN worker_hours.worst_ms > @worst THEN worker_hours.worst_ms ELSE @worst END
            """,
            ("@id", ""), ("@app", ""), ("@hour", 0L), ("@loads", 0L), ("@slow", 0L), ("@worst", 0L));
        await command.PrepareAsync(cancellationToken);
        foreach (var hour in hours)
        {
            object[] values = [hour.Id.MemberId, hour.Id.App, hour.Hour, hour.Loads, hour.Slow, hour.WorstMilliseconds];
            for (var i = 0; i < values.Length; i++)
                command.Parameters[i].Value = values[i];
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<IReadOnlyList<WorkerHour>> SinceAsync(PortalId id, long hour, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            "SELECT hour, loads, slow, worst_ms FROM worker_hours WHERE member_id = @id AND app = @app AND hour >= @hour ORDER BY hour",
            r => new WorkerHour(id, r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3)), cancellationToken,
            ("@id", id.MemberId), ("@app", id.App), ("@hour", hour));

    public Task ForgetAsync(long beforeHour, CancellationToken cancellationToken) =>
        database.ExecuteAsync("DELETE FROM worker_hours WHERE hour < @hour", cancellationToken, ("@hour", beforeHour));
}
