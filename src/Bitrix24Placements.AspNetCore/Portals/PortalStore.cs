using System.Data.Common;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Portals in the database: look-ups, and how changes become known. Every change reaches this process's memory at once
/// and other instances' within seconds.</summary>
internal sealed partial class PortalStore(
    Database database, DatabaseClock clock, PortalDirectory directory, TokenVault vault, TokenKeys keys, ILogger<PortalStore> logger)
{
    private const string Select = "SELECT " + PortalRows.Columns + " FROM portals WHERE ";
    private const string IsPortal = "member_id = @id";
    private const string IsInstallation = "member_id = @id AND app = @app";

    private const int Uninstalled = (int)PortalState.Uninstalled;
    private const int Installed = (int)PortalState.Installed;
    private const int Suspended = (int)PortalState.Suspended;
    private const int Good = (int)TokenState.Good;
    private const int Dead = (int)TokenState.Dead;

    private readonly PortalRows _rows = new(vault, clock, logger);

    /// <summary>From memory where the portal is known, else from the database; null where there is none.</summary>
    public async ValueTask<KnownPortal?> KnownAsync(PortalId id, CancellationToken cancellationToken)
    {
        if (directory.Find(id) is { } known)
            return known;
        var all = await KnownAllAsync(id.MemberId, cancellationToken);
        return all.FirstOrDefault(p => p.Id == id);
    }

    /// <summary>Every app's installation on this portal, from memory where they are known.</summary>
    public ValueTask<IReadOnlyList<KnownPortal>> KnownAllAsync(string memberId, CancellationToken cancellationToken) =>
        directory.FindAll(memberId) is { Count: > 0 } known ? new(known) : new(LoadAsync(memberId, cancellationToken));

    public async Task<Portal?> FindAsync(PortalId id, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        var rows = await database.QueryAsync(Select + IsInstallation, PortalRows.Raw, cancellationToken, Key(id));
        if (rows is [var row])
            return _rows.Read(row);
        _rows.Forget(id);
        return null;
    }

    /// <summary>Whose removal notices arrive under this key; null where it is nobody's.</summary>
    public async Task<PortalId?> FindByRemovalKeyAsync(string key, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync("SELECT member_id, app FROM portals WHERE removal_key_hash = @hash", ReadId, cancellationToken,
            ("@hash", ApplicationToken.Hash(key)));
        return rows is [var id] ? id : null;
    }

    /// <summary>Reads anew what other instances have changed in the last seconds.</summary>
    /// <returns>How many portals in memory were concerned.</returns>
    public async Task<int> FollowChangesAsync(CancellationToken cancellationToken)
    {
        await clock.MeasureAsync(cancellationToken);
        var changed = await database.QueryAsync(
            $"SELECT member_id FROM portal_changes WHERE changed_at >= {database.NowSql} - 15000",
            static r => r.GetString(0), cancellationToken);
        var concerned = 0;
        foreach (var memberId in changed.Where(directory.Contains))
        {
            await LoadAsync(memberId, cancellationToken);
            concerned++;
        }

        return concerned;
    }

    public Task ForgetOldChangesAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync($"DELETE FROM portal_changes WHERE changed_at < {database.NowSql} - 3600000", cancellationToken);

    private async Task<IReadOnlyList<KnownPortal>> LoadAsync(string memberId, CancellationToken cancellationToken)
    {
        if (!PortalId.IsMemberId(memberId))
            return [];
        await keys.ReadAsync(cancellationToken);
        var stamp = directory.Stamp(memberId);
        var rows = await database.QueryAsync(
            Select + IsPortal + " ORDER BY app", PortalRows.Raw, cancellationToken, ("@id", memberId.ToLowerInvariant()));
        var known = Known(rows);
        directory.Put(memberId, known, stamp);
        return known;
    }

    private Task<bool> UpdateAsync(
        PortalId id, string sql, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters) =>
        ChangeAsync(id, async (connection, token) =>
        {
            await using var command = connection.Command(sql, [.. Key(id), .. parameters]);
            return await command.ExecuteNonQueryAsync(token) > 0;
        }, cancellationToken);

    /// <summary>Commits a change with the note that other instances follow, and brings it into this process's memory.</summary>
    private async Task<bool> ChangeAsync(
        PortalId id, Func<DbConnection, CancellationToken, Task<bool>> change, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        var after = await database.RunAsync(async (connection, token) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(token);
            if (!await change(connection, token))
                return null;
            await NoteAsync(connection, id.MemberId, token);
            var rows = await connection.QueryAsync(Select + IsPortal + " ORDER BY app", PortalRows.Raw, token, ("@id", id.MemberId));
            await transaction.CommitAsync(token);
            return rows;
        }, cancellationToken);
        if (after is null)
            return false;
        // Before the rows are read, which notes those that cannot be decrypted.
        _rows.Forget(id);
        directory.Replace(id.MemberId, Known(after));
        return true;
    }

    private async Task NoteAsync(DbConnection connection, string memberId, CancellationToken cancellationToken)
    {
        await using var note = connection.Command(
            $"""
            INSERT INTO portal_changes (member_id, changed_at) VALUES (@id, {database.NowSql})
            ON CONFLICT (member_id) DO UPDATE SET changed_at = {database.NowSql}
            """,
            ("@id", memberId));
        await note.ExecuteNonQueryAsync(cancellationToken);
    }

    private KnownPortal[] Known(List<object[]> rows) =>
        [.. rows.Select(_rows.Read).OfType<Portal>().Select(static p => new KnownPortal(p))];

    private static (string Name, object? Value)[] Key(PortalId id) => [("@id", id.MemberId), ("@app", id.App)];

    /// <summary>Of a row that begins with member_id and app; null where that is no portal's.</summary>
    private static PortalId? ReadId(DbDataReader row) =>
        PortalId.IsMemberId(row.GetString(0)) ? new(row.GetString(0), row.GetString(1)) : null;
}
