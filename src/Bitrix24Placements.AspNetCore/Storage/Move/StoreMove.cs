using Npgsql;

namespace Bitrix24Placements.Storage;

/// <summary>The command <c>move-store</c>: all of a SQLite file and the keys beside it into the configured, empty PostgreSQL, or
/// nothing.</summary>
internal sealed class StoreMove(IServiceProvider target, TextWriter output)
{
    public const string Command = "move-store";

    private const int ProgressEvery = 10_000;

    public async Task MoveAsync(string? from, CancellationToken cancellationToken)
    {
        var database = target.GetRequiredService<Database>();
        if (!database.IsPostgreSql)
            throw new StoreMoveException("Storage:Provider has to be PostgreSql, and Storage:ConnectionString the database to move to.");
        var storage = new StorageOptions { ConnectionString = from ?? "", MayMakeKeys = false };
        if (storage.Problem() is not null)
            throw new StoreMoveException("Name the SQLite file to move from: --from \"Data Source=…\".");
        if (!File.Exists(storage.SqliteFile))
            throw new StoreMoveException($"There is no file {Path.GetFullPath(storage.SqliteFile)}.");

        string[] spools = [storage.SpoolFolder, target.GetRequiredService<Spool>().Folder];
        if (spools.FirstOrDefault(HoldsEntries) is { } spool)
        {
            throw new StoreMoveException(
                $"{spool} holds what is not in the database yet, under the keys beside the file. Start the service with its earlier "
                + "settings, and stop it when no *.spool is left there. Nothing was changed.");
        }

        await using var source = OpenSource(storage);
        await source.GetRequiredService<SchemaInstaller>().EnsureAsync(cancellationToken);
        await target.GetRequiredService<SchemaInstaller>().EnsureAsync(cancellationToken);
        var oldVault = source.GetRequiredService<TokenVault>();
        // Frozen by its transaction: a service that still runs on the file waits with its writes, and fails.
        var unreadable = await source.GetRequiredService<Database>().ChangeAsync(reading => database.ChangeLongAsync(
            writing => CopyAsync(oldVault, reading, writing), reading.Token), cancellationToken);
        await output.WriteLineAsync(unreadable == 0
            ? "Moved. Start the service with the new settings, and keep the SQLite file and its keys until a page was opened."
            : $"Moved. The tokens of {unreadable} portals cannot be read with the keys beside the file: "
                + "an administrator of each has to open the app once.");
    }

    private async Task<int> CopyAsync(TokenVault oldVault, Connection reading, Connection writing)
    {
        var names = MovedTable.All.Select(t => t.Name).ToArray();
        await writing.ExecuteAsync("LOCK TABLE " + string.Join(", ", names) + " IN EXCLUSIVE MODE");
        if (await writing.AnyAsync(string.Join(" UNION ALL ", names.Select(n => $"SELECT 1 FROM {n}"))))
            throw new StoreMoveException("The database to move to is not empty. Nothing was changed.");
        var unreadable = 0;
        foreach (var table in MovedTable.All)
            unreadable += await CopyTableAsync(table, oldVault, reading, writing);
        return unreadable;
    }

    private async Task<int> CopyTableAsync(MovedTable table, TokenVault oldVault, Connection reading, Connection writing)
    {
        var cancellationToken = writing.Token;
        var columns = await writing.QueryAsync(
            $"""
            SELECT column_name, data_type FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = {table.Name}
            ORDER BY ordinal_position
            """,
            r => (Name: r.GetString(0), IsInteger: r.GetString(1) == "integer"));
        var names = string.Join(", ", columns.Select(c => c.Name));
        var row = new MovedRow(oldVault, target.GetRequiredService<TokenVault>(), [.. columns.Select(c => c.Name)]);
        Sql all = "SELECT " + names + " FROM " + table.Name;
        await using var command = all.CommandOn(reading.Driver);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await using var importer = await ((NpgsqlConnection)writing.Driver).BeginBinaryImportAsync(
            $"COPY {table.Name} ({names}) FROM STDIN (FORMAT BINARY)", cancellationToken);
        importer.Timeout = TimeSpan.FromMinutes(10);
        var (count, left) = (0, 0);
        while (await reader.ReadAsync(cancellationToken))
        {
            reader.GetValues(row.Values);
            if (!table.Change(row))
            {
                left++;
                continue;
            }

            // SQLite has one kind of whole number.
            foreach (var (i, column) in columns.Index())
                row.Values[i] = column.IsInteger && row.Values[i] is long number ? checked((int)number) : row.Values[i];
            await importer.WriteRowAsync(cancellationToken, row.Values);
            if (++count % ProgressEvery == 0)
                await output.WriteLineAsync($"{table.Name}: {count}");
        }

        await importer.CompleteAsync(cancellationToken);
        await output.WriteLineAsync(left == 0 ? $"{table.Name}: {count}, all"
            : $"{table.Name}: {count}; {left} cannot be read with the keys beside the file, and are left behind");
        return row.Unreadable;
    }

    private static bool HoldsEntries(string spool) => Directory.Exists(spool) && Directory.EnumerateFiles(spool, "*.spool").Any();

    private ServiceProvider OpenSource(StorageOptions storage)
    {
        var services = new ServiceCollection();
        services.AddSingleton(target.GetRequiredService<ILoggerFactory>());
        services.AddLogging();
        services.AddSingleton(target.GetRequiredService<TimeProvider>());
        services.AddSingleton(Options.Create(storage));
        services.AddSingleton(target.GetRequiredService<IOptions<DataProtectionSettings>>());
        services.AddDatabase();
        return services.BuildServiceProvider();
    }
}

internal sealed class StoreMoveException(string message) : Exception(message);
