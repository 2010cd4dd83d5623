using Microsoft.Data.Sqlite;

namespace Bitrix24Placements.Storage;

/// <summary>Deleted or replaced under a running service, it or the log of its newest changes, everything would be answered, and gone
/// at the next start without a word.</summary>
internal sealed partial class SqliteFileWatch(
    Database database, Readiness readiness, IHostApplicationLifetime lifetime, ILogger<SqliteFileWatch> logger)
    : RepeatingService(readiness, TimeSpan.FromSeconds(2))
{
    // A deleted file can still be read through it.
    private SqliteConnection? _open;

    private (long Device, long Number)? _file;

    // There from the first change on, and as long as somebody has the database open.
    private (long Device, long Number)? _log;

    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (database.FilePath is not { } path)
            return;
        if (_open is not { } open)
        {
            await OpenAsync(path, stoppingToken);
            return;
        }

        var (file, log) = (Posix.FileAt(path), Posix.FileAt(path + "-wal"));
        var isLogGone = _log is not null && log != _log;
        if (file == _file && !isLogGone)
        {
            _log = log;
            return;
        }

        var isReplaced = file is not null && file != _file;
        Log.Gone(logger, file == _file ? path + "-wal" : path, isReplaced ? "replaced" : "deleted");
        await database.AloneAsync(() => RescueAsync(open, path, isReplaced, stoppingToken), stoppingToken);
    }

    private async Task OpenAsync(string path, CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, Mode = SqliteOpenMode.ReadWrite }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            var open = new Connection(connection, cancellationToken);
            // One that was put back is a copy, which has lost it: readers and writers would wait for each other.
            await open.ExecuteAsync("PRAGMA journal_mode = WAL");
            var results = await open.QueryAsync("PRAGMA quick_check(1)", r => r.GetString(0));
            if (results is [not "ok" and var result])
                Log.Damaged(logger, path, result);
        }
        catch (SqliteException)
        {
            await connection.DisposeAsync();
            throw;
        }

        (_open, _file, _log) = (connection, Posix.FileAt(path), Posix.FileAt(path + "-wal"));
    }

    // A deleted file is put back. One that was replaced, perhaps deliberately, stays; the earlier one is saved beside it.
    private async Task RescueAsync(SqliteConnection open, string path, bool isReplaced, CancellationToken cancellationToken)
    {
        var rescued = string.Create(CultureInfo.InvariantCulture, $"{path}.rescued-{Time.GetUtcNow():yyyyMMddHHmmss}");
        if (Path.GetDirectoryName(path) is { } folder)
            Directory.CreateDirectory(folder);
        try
        {
            await new Connection(open, cancellationToken).ExecuteAsync($"VACUUM INTO {rescued}");
        }
        catch (SqliteException)
        {
            // No room, for instance: there may be some at the next attempt.
            File.Delete(rescued);
            throw;
        }

        await open.DisposeAsync();
        _open = null;
        if (!isReplaced)
        {
            // Of the file that is gone: they would be read into the new one.
            File.Delete(path + "-wal");
            File.Delete(path + "-shm");
            File.Move(rescued, path, overwrite: true);
            Log.PutBack(logger, path);
            return;
        }

        Log.Saved(logger, rescued);
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    public override void Dispose()
    {
        _open?.Dispose();
        base.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Critical, "The database {File} was {What} while the service is running")]
        public static partial void Gone(ILogger logger, string file, string what);

        [LoggerMessage(2, LogLevel.Critical, "The database {File} was put back from the handle that was still open; nothing is lost")]
        public static partial void PutBack(ILogger logger, string file);

        [LoggerMessage(3, LogLevel.Critical,
            "What was in the earlier database is saved in {File}. The service ends: started again, it uses the file that is there now")]
        public static partial void Saved(ILogger logger, string file);

        [LoggerMessage(4, LogLevel.Critical, "The database {File} is damaged: {Result}")]
        public static partial void Damaged(ILogger logger, string file, string result);
    }
}
