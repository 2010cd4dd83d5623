using Microsoft.Data.Sqlite;

namespace Bitrix24Placements.Storage;

/// <summary>The SQL is the same for both databases; what differs stands here and in <see cref="SchemaInstaller"/>.</summary>
internal sealed partial class Database : IAsyncDisposable
{
    /// <summary>SQLite works on the calling thread: at most so many threads may be held by a locked file.</summary>
    private const int SqliteThreads = 8;

    private const int SqliteBusy = 5;

    private static readonly TimeSpan SqliteTimeout = TimeSpan.FromSeconds(5);

    private readonly DbDataSource _source;
    private readonly SemaphoreSlim? _sqliteGate;
    private readonly TimeProvider _time;

    public Database(IOptions<StorageOptions> options, TimeProvider time)
    {
        _time = time;
        Provider = options.Value.Provider;
        if (Provider == StorageProvider.PostgreSql)
        {
            (_source, Place) = OpenPostgreSql(options.Value.ConnectionString);
            return;
        }

        var sqlite = new SqliteConnectionStringBuilder(options.Value.ConnectionString) { DefaultTimeout = (int)SqliteTimeout.TotalSeconds };
        FilePath = Place = Path.GetFullPath(sqlite.DataSource);
        sqlite.DataSource = FilePath;
        // A file that goes away while the service runs must not come back empty: only the start makes one.
        if (sqlite.Mode == SqliteOpenMode.ReadWriteCreate)
            sqlite.Mode = SqliteOpenMode.ReadWrite;
        _source = SqliteFactory.Instance.CreateDataSource(sqlite.ConnectionString);
        _sqliteGate = new SemaphoreSlim(SqliteThreads);
        KeepThreadsForTheOthers(SqliteThreads);
    }

    public StorageProvider Provider { get; }

    /// <summary>Null with PostgreSQL.</summary>
    public string? FilePath { get; }

    /// <summary>Where it is, for an operator: host, port and name, or the file. Never a password.</summary>
    public string Place { get; }

    public string? KeyFolder => FilePath is null ? null : Path.Combine(Path.GetDirectoryName(FilePath) ?? "", "keys");

    /// <summary>Unix milliseconds by the clock that all instances have in common; SQLite's is that of its only one.</summary>
    public Sql Now => Provider == StorageProvider.PostgreSql
        ? "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
        : $"{_time.GetUtcNow().ToUnixTimeMilliseconds()}";

    public Sql ForUpdate => Provider == StorageProvider.PostgreSql ? " FOR UPDATE" : "";

    public Sql ForUpdateOfUnlocked => Provider == StorageProvider.PostgreSql ? " FOR UPDATE SKIP LOCKED" : "";

    public void MakeFile()
    {
        if (FilePath is null)
            return;
        if (File.Exists(FilePath))
        {
            MakeWritable(FilePath, FilePath + "-shm");
            MakeWritable(FilePath, FilePath + "-wal");
            return;
        }

        if (Path.GetDirectoryName(FilePath) is { } folder)
            Directory.CreateDirectory(folder);
        File.Open(FilePath, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite).Dispose();
    }

    /// <summary>SQLite makes the files beside its own with the mode that this has: made while it was read-only, they would keep it so.
    /// </summary>
    private static void MakeWritable(string file, string beside)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(beside) && File.GetUnixFileMode(file) is var mode
            && mode.HasFlag(UnixFileMode.UserWrite) && !File.GetUnixFileMode(beside).HasFlag(UnixFileMode.UserWrite))
        {
            File.SetUnixFileMode(beside, mode);
        }
    }

    /// <exception cref="DbException">The database is away, or has not answered in time.</exception>
    public Task<T> RunAsync<T>(Func<DbConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        _sqliteGate is null ? RunInTimeAsync(work, cancellationToken) : RunOnSqliteAsync(work, _sqliteGate, cancellationToken);

    /// <summary>As <see cref="RunAsync"/>, for what no request waits for: with PostgreSQL each statement has the driver's time.</summary>
    public Task<T> RunLongAsync<T>(Func<DbConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        _sqliteGate is null ? RunOnAsync(work, cancellationToken) : RunOnSqliteAsync(work, _sqliteGate, cancellationToken);

    /// <summary>As <see cref="RunAsync"/>, and all of it or nothing.</summary>
    public Task<T> ChangeAsync<T>(Func<DbConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync((connection, token) => ChangeOnAsync(connection, Provider == StorageProvider.PostgreSql, work, token), cancellationToken);

    /// <summary>As <see cref="RunLongAsync"/>, and all of it or nothing.</summary>
    public Task<T> ChangeLongAsync<T>(Func<DbConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunLongAsync((connection, token) => ChangeOnAsync(connection, endsIfIdle: false, work, token), cancellationToken);

    /// <summary>Runs something while no connection of this process to the SQLite file is open.</summary>
    public async Task AloneAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        if (_sqliteGate is null)
            return;
        var held = 0;
        try
        {
            for (; held < SqliteThreads; held++)
                await _sqliteGate.WaitAsync(cancellationToken);
            ClearPool();
            await work(cancellationToken);
        }
        finally
        {
            _sqliteGate.Release(held);
        }
    }

    public Task<int> ExecuteAsync(Sql sql, CancellationToken cancellationToken) =>
        RunAsync((connection, token) => connection.ExecuteAsync(sql, token), cancellationToken);

    public Task<List<T>> QueryAsync<T>(Sql sql, Func<DbDataReader, T> read, CancellationToken cancellationToken) =>
        RunAsync((connection, token) => connection.QueryAsync(sql, read, token), cancellationToken);

    public Task<int> ExecuteLongAsync(Sql sql, CancellationToken cancellationToken) =>
        RunLongAsync((connection, token) => connection.ExecuteAsync(sql, token), cancellationToken);

    public Task<List<T>> QueryLongAsync<T>(Sql sql, Func<DbDataReader, T> read, CancellationToken cancellationToken) =>
        RunLongAsync((connection, token) => connection.QueryAsync(sql, read, token), cancellationToken);

    public Task<bool> AnyAsync(Sql sql, CancellationToken cancellationToken) =>
        RunAsync((connection, token) => connection.AnyAsync(sql, token), cancellationToken);

    /// <summary>The pool adds threads slowly: those that a locked file, or the driver of a silent server, holds must not be missing where
    /// pages are answered.</summary>
    private static void KeepThreadsForTheOthers(int held)
    {
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + held), ports);
    }

    private static async Task<T> ChangeOnAsync<T>(DbConnection connection, bool endsIfIdle,
        Func<DbConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (endsIfIdle)
            await connection.ExecuteAsync(EndIfIdle, cancellationToken);
        var result = await work(connection, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    private async Task<T> RunOnSqliteAsync<T>(
        Func<DbConnection, CancellationToken, Task<T>> work, SemaphoreSlim gate, CancellationToken cancellationToken)
    {
        // Bitrix24 does not wait for as long as others wait for a locked file.
        if (!await gate.WaitAsync(SqliteTimeout, cancellationToken))
            throw new SqliteException("The database is locked.", SqliteBusy);
        try
        {
            return await Task.Run(() => RunOnAsync(work, cancellationToken), cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task<T> RunOnAsync<T>(Func<DbConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        return await work(connection, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        ClearPool();
    }

    /// <summary>Connections that are kept for later hold the file as it was: what was read-only, deleted or replaced.</summary>
    public void ClearPool()
    {
        if (FilePath is not null)
            SqliteConnection.ClearPool(new SqliteConnection(_source.ConnectionString));
    }
}
