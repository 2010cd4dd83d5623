using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Doctor;

internal sealed class StoreChecks(Database database, PortalStore portals)
{
    /// <summary>No portal's: all have another one.</summary>
    private const string NoDeclaration = "-";

    public async Task<Finding[]> DatabaseAsync(CancellationToken cancellationToken)
    {
        // Opening would make one.
        if (database.FilePath is { } path && !File.Exists(path))
            return [new("database.empty", path)];
        try
        {
            await database.AnyAsync("SELECT 1 FROM schema_versions", cancellationToken);
        }
        catch (DbException e)
        {
            return [new(IsNoTable(e) ? "database.empty" : "database.silent", e.Message)];
        }

        try
        {
            // Changes nothing, and takes what a change takes.
            await database.ExecuteAsync("UPDATE schema_versions SET version = version", cancellationToken);
            return [];
        }
        catch (DbException e)
        {
            return [new("database.readOnly", e.Message)];
        }
    }

    private static bool IsNoTable(DbException exception) =>
        exception.SqlState == "42P01" || exception.Message.Contains("no such table", StringComparison.Ordinal);

    /// <summary>Finds the portal for later checks, too.</summary>
    public async Task<Finding[]> TokenKeysAsync(Examination examination, CancellationToken cancellationToken)
    {
        try
        {
            var id = examination.Asked ??
                (await portals.OfOtherDeclarationAsync(NoDeclaration, null, 1, cancellationToken)).FirstOrDefault()?.Id;
            if (id is not { } known || await portals.FindAsync(known, cancellationToken) is not { } portal)
                return examination.Asked is { } unknown ? [new("portal.unknown", unknown.ToString())] : [];
            examination.Portal = portal;
            // Every portal has one, whatever has become of its tokens.
            return portal.RemovalKey.IsEmpty ? [new("tokenKeys.lost", $"{portal.Id}")] : [];
        }
        catch (Exception e) when (e is CryptographicException or InvalidOperationException)
        {
            // There is no key at all, or none under this certificate.
            return [new("tokenKeys.lost", e.Message)];
        }
    }
}
