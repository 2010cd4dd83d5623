using Npgsql;

namespace Bitrix24Placements.Storage;

/// <summary>Npgsql is loaded only where it is used: no type of it is named outside.</summary>
internal sealed partial class Database
{
    // The driver limits each statement, and may hold on to one for far longer.
    private static readonly TimeSpan PostgreSqlTimeout = TimeSpan.FromSeconds(5);

    // An instance that stops within a transaction must not keep its rows from the others. Not as an option of the connection, which poolers
    // refuse.
    private static readonly Sql EndIfIdle =
        """
        SELECT set_config('idle_in_transaction_session_timeout', '5s', true)
        WHERE current_setting('idle_in_transaction_session_timeout') = '0'
        """;

    private async Task<T> RunInTimeAsync<T>(Func<Connection, Task<T>> work, CancellationToken cancellationToken)
    {
        var ending = new CancellationTokenSource();
        var running = RunOnAsync(work, ending.Token);
        try
        {
            return await running.WaitAsync(PostgreSqlTimeout, cancellationToken);
        }
        catch (TimeoutException e)
        {
            // The server may have gone without a word: kept connections are as silent then.
            ((NpgsqlDataSource)_source).Clear();
            throw new NpgsqlException($"The database has not answered within {PostgreSqlTimeout.TotalSeconds:0} s.", e);
        }
        finally
        {
            _ = EndAsync(running, ending);
        }
    }

    // The driver asks the server to cancel, and holds a thread until that answers: nobody waits for it.
    private static async Task EndAsync(Task running, CancellationTokenSource ending)
    {
        if (!running.IsCompleted)
            await ending.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ending.Dispose();
    }

    // An absent server must hold nobody for the driver's fifteen seconds.
    private static (DbDataSource Source, string Place) OpenPostgreSql(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        if (!builder.ContainsKey("Timeout"))
            builder.Timeout = (int)PostgreSqlTimeout.TotalSeconds;
        if (!builder.ContainsKey("Command Timeout"))
            builder.CommandTimeout = 10;
        if (!builder.ContainsKey("Tcp Keepalive") && !builder.ContainsKey("Tcp Keepalive Time"))
            (builder.TcpKeepAlive, builder.TcpKeepAliveTime, builder.TcpKeepAliveInterval) = (true, 10, 5);
        KeepThreadsForTheOthers(builder.MaxPoolSize);
        builder.ApplicationName ??= "Bitrix24Placements";
        return (NpgsqlDataSource.Create(builder), $"{builder.Host}:{builder.Port}/{builder.Database}");
    }
}
