using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Doctor.Checks;

internal sealed class DatabaseCheck(Database database) : Check(Name)
{
    public const string Name = "database";

    public override bool IsOperators => true;

    public override async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        // Opening would make one.
        if (database.FilePath is { } path && !File.Exists(path))
            return Finding.One("database.empty", path);
        try
        {
            await database.QueryAsync("SELECT COUNT(*) FROM schema_versions", r => r.GetInt64(0), cancellationToken);
        }
        catch (DbException e)
        {
            return Finding.One(IsAbsent(e) ? "database.empty" : "database.silent", e.Message);
        }

        try
        {
            // Changes nothing, and takes all that a change takes.
            await database.ExecuteAsync("UPDATE schema_versions SET version = version", cancellationToken);
            return Finding.None;
        }
        catch (DbException e)
        {
            return Finding.One("database.readOnly", e.Message);
        }
    }

    /// <summary>No such table, in the words of each database.</summary>
    private static bool IsAbsent(DbException exception) =>
        exception.SqlState == "42P01" || exception.Message.Contains("no such table", StringComparison.Ordinal);
}
