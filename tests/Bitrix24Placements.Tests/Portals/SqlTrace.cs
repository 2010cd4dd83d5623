using System.Collections.Concurrent;
using Bitrix24Placements.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Bitrix24Placements.Tests.Portals;

/// <summary>What SQLite itself was asked, with the values in place, and how it goes about it.</summary>
internal static class SqlTrace
{
    /// <summary>One writes, the others read.</summary>
    private const int Connections = 9;

    public static async Task<IReadOnlyList<string>> RecordAsync(Database database, Func<Task> work)
    {
        var statements = new ConcurrentQueue<string>();
        await OnAllConnectionsAsync(database, connection => raw.sqlite3_trace(connection.Handle, (_, sql) => statements.Enqueue(sql), null));
        await work();
        await OnAllConnectionsAsync(database, static connection => raw.sqlite3_trace(connection.Handle, (strdelegate_trace?)null, null));
        return [.. statements.Where(static s => !s.StartsWith("PRAGMA", StringComparison.OrdinalIgnoreCase)
            && !s.StartsWith("BEGIN", StringComparison.OrdinalIgnoreCase) && !s.StartsWith("COMMIT", StringComparison.OrdinalIgnoreCase) && !s.StartsWith("ROLLBACK", StringComparison.OrdinalIgnoreCase)).Distinct()];
    }

    /// <summary>The steps of a statement, such as <c>SEARCH portals USING INDEX …</c> or <c>SCAN portals</c>.</summary>
    public static async Task<List<string>> PlanAsync(Connection connection, string sql)
    {
        await using var command = connection.Driver.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + sql;
        await using var reader = await command.ExecuteReaderAsync(connection.Token);
        var steps = new List<string>();
        while (await reader.ReadAsync(connection.Token))
            steps.Add(reader.GetString(3));
        return steps;
    }

    /// <summary>The pool hands out any of its connections: all of them are taken at the same time.</summary>
    private static async Task OnAllConnectionsAsync(Database database, Action<SqliteConnection> action)
    {
        var all = new TaskCompletionSource();
        var taken = 0;
        var token = TestContext.Current.CancellationToken;
        await Task.WhenAll([.. Enumerable.Range(1, Connections - 1).Select(_ => database.ReadAsync(TakeAsync, token)), database.RunAsync(TakeAsync, token)]);

        async Task<bool> TakeAsync(Connection connection)
        {
            action((SqliteConnection)connection.Driver);
            if (Interlocked.Increment(ref taken) == Connections)
                all.SetResult();
            await all.Task;
            return true;
        }
    }
}
