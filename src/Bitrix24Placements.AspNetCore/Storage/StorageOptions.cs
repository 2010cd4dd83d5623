using Bitrix24Placements.Settings;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Bitrix24Placements.Storage;

internal sealed class StorageOptions : ISettings
{
    public static string Section => "Storage";

    public StorageProvider Provider { get; set; } = StorageProvider.Sqlite;

    public string ConnectionString { get; set; } = "Data Source=data/placements.db";

    /// <summary>In memory, about 1 KiB each.</summary>
    public int CachedPortals { get; set; } = 20_000;

    /// <summary>Null: <c>spool</c> beside a SQLite file, else <c>data/spool</c>.</summary>
    public string? SpoolPath { get; set; }

    internal bool MayMakeKeys { get; set; } = true;

    internal string SpoolFolder =>
        SpoolPath ?? Path.Combine(
            Provider == StorageProvider.Sqlite ? Path.GetDirectoryName(Path.GetFullPath(SqliteFile)) ?? "" : "data", "spool");

    internal string SqliteFile => new SqliteConnectionStringBuilder(ConnectionString).DataSource;

    public void Read(IConfigurationSection section)
    {
        SpoolPath = section.Text(nameof(SpoolPath)) ?? SpoolPath;
        Provider = section.Choice(nameof(Provider), Provider);
        ConnectionString = section.Text(nameof(ConnectionString)) ?? ConnectionString;
        CachedPortals = section.Whole(nameof(CachedPortals), CachedPortals);
    }

    public string? Problem()
    {
        if (CachedPortals is < 1 or > 10_000_000)
            return "Storage:CachedPortals has to be between 1 and 10000000.";
        try
        {
            if (Provider == StorageProvider.PostgreSql)
                _ = new NpgsqlConnectionStringBuilder(ConnectionString);
            else if (SqliteFile is "" or ":memory:")
                return "Storage:ConnectionString has to name a file: Data Source=…";
            return null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // The driver's message repeats the value, which holds a password.
            return $"Storage:ConnectionString is not a connection string of {Provider}.";
        }
    }
}
