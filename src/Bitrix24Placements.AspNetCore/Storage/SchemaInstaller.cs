using System.Reflection;

namespace Bitrix24Placements.Storage;

/// <summary>Numbered scripts, each in one transaction with the note of it.</summary>
internal sealed partial class SchemaInstaller(Database database, ILogger<SchemaInstaller> logger) : IDisposable
{
    // Instances that start together take turns.
    private const long PostgresLock = 0x4232_3450_6c63;

    private static readonly Assembly Here = typeof(SchemaInstaller).Assembly;

    private static readonly string[] Scripts =
    [
        .. Here.GetManifestResourceNames().Where(n => n.StartsWith("Bitrix24Placements.Storage.Schema.", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    public static int Newest => Scripts.Length;

    private readonly SemaphoreSlim _once = new(1);
    private bool _done;

    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await _once.WaitAsync(cancellationToken);
        try
        {
            if (_done)
                return;
            database.MakeFile();
            // Not in a transaction, which SQLite's begin as writers: a second process waits there.
            if (!database.IsPostgreSql)
                await database.ExecuteAsync("PRAGMA journal_mode=WAL", cancellationToken);
            _done = await database.ChangeLongAsync(ApplyAsync, cancellationToken);
        }
        finally
        {
            _once.Release();
        }
    }

    private async Task<bool> ApplyAsync(Connection connection)
    {
        if (database.IsPostgreSql)
            await connection.ExecuteAsync($"SELECT pg_advisory_xact_lock({PostgresLock})");
        await connection.ExecuteAsync(
            """
            CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL PRIMARY KEY);
            CREATE TABLE IF NOT EXISTS schema_compatibility (version INTEGER NOT NULL PRIMARY KEY, oldest INTEGER NOT NULL)
            """);
        var present = (int)await connection.NumberAsync("SELECT COALESCE(MAX(version), 0) FROM schema_versions");
        if (present > Newest)
        {
            await RefuseIfTooNewAsync(connection, present);
            return true;
        }

        // A read-only database is found out now, not by the first installation.
        await connection.ExecuteAsync("UPDATE schema_versions SET version = version");
        for (var version = present + 1; version <= Newest; version++)
        {
            using var reader = new StreamReader(Here.GetManifestResourceStream(Scripts[version - 1])!);
            var script = await reader.ReadToEndAsync(connection.Token);
            await connection.ExecuteAsync(script);
            await connection.ExecuteAsync(
                $"INSERT INTO schema_compatibility (version, oldest) VALUES ({version}, {Oldest(script, version)})");
            await connection.ExecuteAsync($"INSERT INTO schema_versions (version) VALUES ({version})");
            Log.Applied(logger, version);
        }

        if (present == 0 && Directory.Exists(database.KeyFolder) && Directory.EnumerateFiles(database.KeyFolder, "*.xml").Any())
            Log.NewBesideKeys(logger, database.FilePath);
        return true;
    }

    private async Task RefuseIfTooNewAsync(Connection connection, int present)
    {
        Sql newer = $"FROM schema_compatibility WHERE version > {Newest}";
        var told = await connection.NumberAsync($"SELECT COUNT(*) {newer}");
        if (told < present - Newest || await connection.NumberAsync($"SELECT MAX(oldest) {newer}") > Newest)
            throw new SchemaTooNewException(present, Newest);
        Log.Newer(logger, present, Newest);
    }

    // -- oldest: 3 in the first line: the oldest version whose service can live with the script; otherwise only its own.
    private static int Oldest(string script, int version) =>
        script.Split('\n', 2)[0].Split("-- oldest:") is ["", var oldest]
            && int.TryParse(oldest, CultureInfo.InvariantCulture, out var number) ? number : version;

    public void Dispose() => _once.Dispose();

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Schema version {Version} applied")]
        public static partial void Applied(ILogger logger, int version);

        [LoggerMessage(2, LogLevel.Warning,
            "The database has schema version {Present}, this version of the service knows {Known} and can live with it")]
        public static partial void Newer(ILogger logger, int present, int known);

        [LoggerMessage(3, LogLevel.Warning,
            "The database {File} is new, but the keys of an earlier one lie beside it: if that one was lost, restore its backup")]
        public static partial void NewBesideKeys(ILogger logger, string? file);
    }
}

/// <summary>Writing could lose what the newer version keeps.</summary>
internal sealed class SchemaTooNewException(int present, int known)
    : Exception($"The database has schema version {present}, this version of the service knows {known}: run the newer version.");
