using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Doctor;

/// <param name="Hour">Hours since 1970.</param>
/// <param name="Slow">Frames over five seconds.</param>
/// <param name="TotalMilliseconds">Of all frames together.</param>
internal sealed record HeartbeatHour(string MemberId, long Hour, long Count, long Slow, long TotalMilliseconds, long WorstMilliseconds);

/// <summary>Heartbeats by portal and hour; every instance adds its own.</summary>
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
                    INSERT INTO heartbeats (member_id, hour, beats, slow, total_ms, worst_ms)
                        VALUES (@id, @hour, @beats, @slow, @total, @worst)
                    ON CONFLICT (member_id, hour) DO UPDATE SET beats = heartbeats.beats + @beats, slow = heartbeats.slow + @slow,
                        total_ms = heartbeats.total_ms + @total,
                            worst_ms = CASE WHEN heartbeats.worst_ms > @worst THEN heartbeats.worst_ms ELSE @worst END
                    """,
                    ("@id", hour.MemberId), ("@hour", hour.Hour), ("@beats", hour.Count), ("@slow", hour.Slow),
                        ("@total", hour.TotalMilliseconds),
                    ("@worst", hour.WorstMilliseconds));
                await command.ExecuteNonQueryAsync(token);
            }

            await transaction.CommitAsync(token);
            return true;
        }, cancellationToken);

    public async Task<IReadOnlyList<HeartbeatHour>> SinceAsync(string memberId, long hour, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            "SELECT member_id, hour, beats, slow, total_ms, worst_ms FROM heartbeats WHERE member_id = @id AND hour >= @hour",
            static r => new HeartbeatHour(r.GetString(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3),
                r.GetInt64(4), r.GetInt64(5)), cancellationToken,
            ("@id", memberId), ("@hour", hour));

    public Task ForgetAsync(long beforeHour, CancellationToken cancellationToken) =>
        database.ExecuteAsync("DELETE FROM heartbeats WHERE hour < @hour", cancellationToken, ("@hour", beforeHour));
}
