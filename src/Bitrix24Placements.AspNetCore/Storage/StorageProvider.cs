namespace Bitrix24Placements;

/// <summary>Where portals are kept: <c>Storage:Provider</c>.</summary>
public enum StorageProvider
{
    /// <summary>A file beside the service, for one instance.</summary>
    Sqlite,

    /// <summary>A server, for several instances.</summary>
    PostgreSql,
}
