using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <param name="Hour">Hours since 1970.</param>
/// <param name="Slow">Loads over five seconds.</param>
internal sealed record WorkerHour(PortalId Id, long Hour, long Loads, long Slow, long WorstMilliseconds)
{
    public long TotalMilliseconds { get; init; }

    public WorkerHour Add(WorkerHour other) => this with
    {
        Loads = Loads + other.Loads,
        Slow = Slow + other.Slow,
        TotalMilliseconds = TotalMilliseconds + other.TotalMilliseconds,
        WorstMilliseconds = Math.Max(WorstMilliseconds, other.WorstMilliseconds),
    };
}

/// <summary>Loads by portal and hour; every instance adds its own.</summary>
internal sealed class HourStore(Database database, Sql table)
{
    private const int PerStatement = 200;

    /// <summary>Many short statements: others write in between. In one order, so that no two instances wait in a circle.</summary>
    public async Task AddAsync(IReadOnlyList<WorkerHour> hours, CancellationToken cancellationToken)
    {
        foreach (var some in hours.OrderBy(h => h.Id.MemberId, StringComparer.Ordinal).Chunk(PerStatement))
        {
            var rows = new Sql(0, some.Length);
            foreach (var hour in some)
            {
                rows.AppendLiteral(hour == some[0] ? "" : ", ");
                rows.AppendFormatted(Row(hour));
            }

            await database.ExecuteAsync(
                $"""
                INSERT INTO {table} AS known (member_id, app, hour, loads, slow, total_ms, worst_ms) VALUES {rows}
                ON CONFLICT (member_id, app, hour) DO UPDATE SET
                    loads = known.loads + excluded.loads, slow = known.slow + excluded.slow, total_ms = known.total_ms + excluded.total_ms,
                    worst_ms = CASE WHEN known.worst_ms > excluded.worst_ms THEN known.worst_ms ELSE excluded.worst_ms END
                """, cancellationToken);
        }
    }

    private static Sql Row(WorkerHour hour) =>
        $"({hour.Id.MemberId}, {hour.Id.App}, {hour.Hour}, {hour.Loads}, {hour.Slow}, {hour.TotalMilliseconds}, {hour.WorstMilliseconds})";

    public Task<List<WorkerHour>> SinceAsync(PortalId id, long hour, CancellationToken cancellationToken) => database.QueryAsync(
        $"SELECT hour, loads, slow, worst_ms, total_ms FROM {table} WHERE {PortalSql.Is(id)} AND hour >= {hour} ORDER BY hour",
        r => new WorkerHour(id, r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3)) { TotalMilliseconds = r.GetInt64(4) },
        cancellationToken);

    public Task ForgetAsync(long beforeHour, CancellationToken cancellationToken) =>
        database.RunLongAsync(connection => connection.ExecuteAsync($"DELETE FROM {table} WHERE hour < {beforeHour}"), cancellationToken);
}
