using Microsoft.Data.Sqlite;

namespace Bitrix24Placements.Storage;

/// <summary>Both databases get the same SQL; what differs is here and in <see cref="SchemaInstaller"/>.</summary>
internal sealed partial class Database : IAsyncDisposable
{
    // SQLite works on the calling thread: so many may be held by a locked file, besides the one that writes.
    private const int SqliteReaders = 8;

    private const int SqliteBusy = 5;

    private static readonly TimeSpan SqliteTimeout = TimeSpan.FromSeconds(5);

    private readonly DbDataSource _source;
    private readonly SemaphoreSlim _sqliteReaders = new(SqliteReaders);

    /// <summary>The driver would look for a lock that another connection holds every 0.15 s, whoever has waited longest.</summary>
    private readonly SemaphoreSlim _sqliteWriter = new(1);

    private readonly TimeProvider _time;

    public Database(IOptions<StorageOptions> options, TimeProvider time)
    {
        _time = time;
        var storage = options.Value;
        if (storage.Provider == StorageProvider.PostgreSql)
        {
            (_source, Place) = OpenPostgreSql(storage.ConnectionString);
            return;
        }

        var sqlite = new SqliteConnectionStringBuilder(storage.ConnectionString) { DefaultTimeout = (int)SqliteTimeout.TotalSeconds };
        sqlite.DataSource = FilePath = Place = Path.GetFullPath(sqlite.DataSource);
        // A file that goes away under the service must not come back empty: only the start makes one.
        if (sqlite.Mode == SqliteOpenMode.ReadWriteCreate)
            sqlite.Mode = SqliteOpenMode.ReadWrite;
        _source = SqliteFactory.Instance.CreateDataSource(sqlite.ConnectionString);
        KeepThreadsForTheOthers(SqliteReaders + 1);
    }

    public bool IsPostgreSql => FilePath is null;

    public string? FilePath { get; }

    /// <summary>For an operator: host, port and name, or the file. Never a password.</summary>
    public string Place { get; }

    public string? KeyFolder => Folder is null ? null : Path.Combine(Folder, "keys");

    /// <summary>Unix milliseconds by the clock that all instances share; SQLite's is that of its only one.</summary>
    public Sql Now => IsPostgreSql
        ? "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
        : $"{_time.GetUtcNow().ToUnixTimeMilliseconds()}";

    public Sql ForUpdate => IsPostgreSql ? " FOR UPDATE" : "";

    public Sql ForUpdateOfUnlocked => IsPostgreSql ? " FOR UPDATE SKIP LOCKED" : "";

    private string? Folder => Path.GetDirectoryName(FilePath);

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

        if (Folder is not null)
            Directory.CreateDirectory(Folder);
        File.Open(FilePath, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite).Dispose();
    }

    // SQLite makes these with the mode of its file: made while that was read-only, they would stay so.
    private static void MakeWritable(string file, string beside)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(beside) && File.GetUnixFileMode(file) is var mode
            && mode.HasFlag(UnixFileMode.UserWrite) && !File.GetUnixFileMode(beside).HasFlag(UnixFileMode.UserWrite))
        {
            File.SetUnixFileMode(beside, mode);
        }
    }

    /// <exception cref="DbException">The database is away, or has not answered in time.</exception>
    public Task<T> RunAsync<T>(Func<Connection, Task<T>> work, CancellationToken cancellationToken) =>
        IsPostgreSql ? RunInTimeAsync(work, cancellationToken) : RunOnSqliteAsync(_sqliteWriter, work, cancellationToken);

    /// <summary>For what no request waits for: with PostgreSQL each statement has the driver's time.</summary>
    public Task<T> RunLongAsync<T>(Func<Connection, Task<T>> work, CancellationToken cancellationToken) =>
        IsPostgreSql ? RunOnAsync(work, cancellationToken) : RunOnSqliteAsync(_sqliteWriter, work, cancellationToken);

    /// <summary>As <see cref="RunAsync"/>, for what writes nothing: SQLite's readers wait for no writer.</summary>
    public Task<T> ReadAsync<T>(Func<Connection, Task<T>> work, CancellationToken cancellationToken) =>
        IsPostgreSql ? RunInTimeAsync(work, cancellationToken) : RunOnSqliteAsync(_sqliteReaders, work, cancellationToken);

    /// <summary>As <see cref="RunLongAsync"/>, for what writes nothing.</summary>
    public Task<T> ReadLongAsync<T>(Func<Connection, Task<T>> work, CancellationToken cancellationToken) =>
        IsPostgreSql ? RunOnAsync(work, cancellationToken) : RunOnSqliteAsync(_sqliteReaders, work, cancellationToken);

    /// <summary>As <see cref="RunAsync"/>, and all of it or nothing.</summary>
    public Task<T> ChangeAsync<T>(Func<Connection, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(connection => ChangeOnAsync(connection, endsIfIdle: IsPostgreSql, work), cancellationToken);

    /// <summary>As <see cref="RunLongAsync"/>, and all of it or nothing.</summary>
    public Task<T> ChangeLongAsync<T>(Func<Connection, Task<T>> work, CancellationToken cancellationToken) =>
        RunLongAsync(connection => ChangeOnAsync(connection, endsIfIdle: false, work), cancellationToken);

    /// <summary>While no connection of this process to the SQLite file is open.</summary>
    public async Task AloneAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        var held = new Stack<SemaphoreSlim>();
        try
        {
            foreach (var gate in Enumerable.Repeat(_sqliteReaders, SqliteReaders).Append(_sqliteWriter))
            {
                await gate.WaitAsync(cancellationToken);
                held.Push(gate);
            }

            ClearPool();
            await work();
        }
        finally
        {
            foreach (var gate in held)
                gate.Release();
        }
    }

    public Task<int> ExecuteAsync(Sql sql, CancellationToken cancellationToken) =>
        RunAsync(connection => connection.ExecuteAsync(sql), cancellationToken);

    public Task<List<T>> QueryAsync<T>(Sql sql, Func<DbDataReader, T?> read, CancellationToken cancellationToken) =>
        ReadAsync(connection => connection.QueryAsync(sql, read), cancellationToken);

    public Task<bool> AnyAsync(Sql sql, CancellationToken cancellationToken) =>
        ReadAsync(connection => connection.AnyAsync(sql), cancellationToken);

    // The pool adds threads slowly: those that a locked file or a silent server's driver holds must not be missing where pages are
    // answered.
    private static void KeepThreadsForTheOthers(int held)
    {
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + held), ports);
    }

    private static async Task<T> ChangeOnAsync<T>(Connection connection, bool endsIfIdle, Func<Connection, Task<T>> work)
    {
        await using var transaction = await connection.Driver.BeginTransactionAsync(connection.Token);
        if (endsIfIdle)
            await connection.ExecuteAsync(EndIfIdle);
        var result = await work(connection);
        await transaction.CommitAsync(connection.Token);
        return result;
    }

    private async Task<T> RunOnSqliteAsync<T>(
        SemaphoreSlim gate, Func<Connection, Task<T>> work, CancellationToken cancellationToken)
    {
        // Bitrix24 waits for less long than others for a locked file.
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

    private async Task<T> RunOnAsync<T>(Func<Connection, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var driver = await _source.OpenConnectionAsync(cancellationToken);
        return await work(new(driver, cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        ClearPool();
    }

    /// <summary>Kept connections hold the file as it was: read-only, deleted or replaced.</summary>
    public void ClearPool()
    {
        if (!IsPostgreSql)
            SqliteConnection.ClearPool(new SqliteConnection(_source.ConnectionString));
    }
}
