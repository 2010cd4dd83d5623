namespace Bitrix24Placements.Portals;

public enum StorageProvider
{
    Sqlite,
    PostgreSql,
}

/// <summary>Section <c>Storage</c>.</summary>
public sealed class StorageOptions
{
    public const string Section = "Storage";
    public const string DefaultConnectionString = "Data Source=data/placements.db";

    public StorageProvider Provider { get; set; } = StorageProvider.Sqlite;

    /// <summary>An ADO.NET connection string of the provider. A relative SQLite path is below the working directory.</summary>
    public string ConnectionString { get; set; } = DefaultConnectionString;

    /// <summary>How many portals a process keeps in memory, about 1 KiB each. The others are read when they are needed.</summary>
    public int CachedPortals { get; set; } = 20_000;
}
