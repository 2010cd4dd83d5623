using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Doctor;

/// <param name="Hour">Hours since 1970.</param>
/// <param name="Slow">Frames over five seconds.</param>
/// <param name="TotalMilliseconds">Of all frames together.</param>
internal sealed record HeartbeatHour(PortalId Id, long Hour, long Count, long Slow, long TotalMilliseconds, long WorstMilliseconds);

/// <summary>Heartbeats by installation and hour; every instance adds its own.</summary>
internal sealed class HeartbeatStore(Database database)
{
    public Task AddAsync(IReadOnlyList<HeartbeatHour> hours, CancellationToken cancellationToken) =>
        hours.Count == 0 ? Task.CompletedTask : database.RunAsync(async (connection, token) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(token);
            foreach (var hour in hours)
            {
                await using var command = connection.Command(
                    """
                    INSERT INTO heartbeats (member_id, app, hour, beats, slow, total_ms, worst_ms)
                        VALUES (@id, @app, @hour, @beats, @slow, @total, @worst)
                    ON CONFLICT (member_id, app, hour) DO UPDATE SET beats = heartbeats.beats + @beats, slow = heartbeats.slow + @slow,
                        total_ms = heartbeats.total_ms + @total,
                            worst_ms = CASE WHEN heartbeats.worst_ms > @worst THEN heartbeats.worst_ms ELSE @worst END
                    """,
                    ("@id", hour.Id.MemberId), ("@app", hour.Id.App), ("@hour", hour.Hour), ("@beats", hour.Count), ("@slow", hour.Slow),
                        ("@total", hour.TotalMilliseconds),
                    ("@worst", hour.WorstMilliseconds));
                await command.ExecuteNonQueryAsync(token);
            }

            await transaction.CommitAsync(token);
            return true;
        }, cancellationToken);

    public async Task<IReadOnlyList<HeartbeatHour>> SinceAsync(PortalId id, long hour, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            "SELECT hour, beats, slow, total_ms, worst_ms FROM heartbeats WHERE member_id = @id AND app = @app AND hour >= @hour",
            r => new HeartbeatHour(id, r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4)), cancellationToken,
            ("@id", id.MemberId), ("@app", id.App), ("@hour", hour));

    public Task ForgetAsync(long beforeHour, CancellationToken cancellationToken) =>
        database.ExecuteAsync("DELETE FROM heartbeats WHERE hour < @hour", cancellationToken, ("@hour", beforeHour));
}
