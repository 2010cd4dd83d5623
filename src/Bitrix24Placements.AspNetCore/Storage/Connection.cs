namespace Bitrix24Placements.Storage;

internal sealed record Connection(DbConnection Driver, CancellationToken Token)
{
    public async Task<int> ExecuteAsync(Sql sql)
    {
        await using var command = sql.CommandOn(Driver);
        return await command.ExecuteNonQueryAsync(Token);
    }

    /// <summary>Without the rows that are read as null.</summary>
    public async Task<List<T>> QueryAsync<T>(Sql sql, Func<DbDataReader, T?> read)
    {
        await using var command = sql.CommandOn(Driver);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var rows = new List<T>();
        while (await reader.ReadAsync(Token))
        {
            if (read(reader) is { } row)
                rows.Add(row);
        }

        return rows;
    }

    public async Task<bool> AnyAsync(Sql sql) => (await QueryAsync(sql, _ => true)).Count > 0;

    public async Task<long> NumberAsync(Sql sql) => (await QueryAsync(sql, r => r.GetInt64(0)))[0];
}

internal static class RowExtensions
{
    public static string? TextOrNull(this DbDataReader row, int ordinal) => row.IsDBNull(ordinal) ? null : row.GetString(ordinal);
}
