using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <param name="Hour">Hours since 1970.</param>
/// <param name="Slow">Loads over five seconds.</param>
/// <param name="WorstMilliseconds">The slowest load.</param>
internal sealed record WorkerHour(PortalId Id, long Hour, long Loads, long Slow, long WorstMilliseconds);

/// <summary>Worker loads by portal and hour; every instance adds its own.</summary>
internal sealed class WorkerLoadStore(Database database)
{
    public Task AddAsync(IReadOnlyList<WorkerHour> hours, CancellationToken cancellationToken) =>
        hours.Count == 0 ? Task.CompletedTask : database.RunAsync(async (connection, token) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(token);
            foreach (var hour in hours)
            {
                await using var command = connection.Command(
                    """
                    INSERT INTO worker_hours (member_id, app, hour, loads, slow, worst_ms) VALUES (@id, @app, @hour, @loads, @slow, @worst)
                    ON CONFLICT (member_id, app, hour) DO UPDATE SET loads = worker_hours.loads + @loads, slow = worker_hours.slow + @slow,
                        worst_ms = CASE WHEN worker_hours.worst_ms > @worst THEN worker_hours.worst_ms ELSE @worst END
                    """,
                    ("@id", hour.Id.MemberId), ("@app", hour.Id.App), ("@hour", hour.Hour), ("@loads", hour.Loads), ("@slow", hour.Slow),
                    ("@worst", hour.WorstMilliseconds));
                await command.ExecuteNonQueryAsync(token);
            }

            await transaction.CommitAsync(token);
            return true;
        }, cancellationToken);

    public async Task<IReadOnlyList<WorkerHour>> SinceAsync(PortalId id, long hour, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            "SELECT hour, loads, slow, worst_ms FROM worker_hours WHERE member_id = @id AND app = @app AND hour >= @hour ORDER BY hour",
            r => new WorkerHour(id, r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3)), cancellationToken,
            ("@id", id.MemberId), ("@app", id.App), ("@hour", hour));

    public Task ForgetAsync(long beforeHour, CancellationToken cancellationToken) =>
        database.ExecuteAsync("DELETE FROM worker_hours WHERE hour < @hour", cancellationToken, ("@hour", beforeHour));
}
