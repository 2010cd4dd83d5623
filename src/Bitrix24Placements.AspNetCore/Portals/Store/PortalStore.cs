using Bitrix24Placements.Apps;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Changes reach this process's memory at once and other instances' within seconds.</summary>
internal sealed partial class PortalStore(
    Database database, DatabaseClock clock, PortalDirectory directory, AppRegistry apps, TokenVault vault, TokenKeys keys,
    ILogger<PortalStore> logger)
{
    // A change is noted before it is committed, and seen afterwards.
    private static readonly TimeSpan NotedBefore = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan ChangesKeptFor = TimeSpan.FromHours(1);

    private readonly PortalRows _rows = new(vault, clock, logger);

    // By the database's clock; zero before the first look.
    private long _followedTill;

    public async ValueTask<KnownPortal?> KnownAsync(PortalId id, CancellationToken cancellationToken) =>
        directory.Find(id) ?? (await KnownAllAsync(id.MemberId, cancellationToken)).FirstOrDefault(p => p.Id == id);

    public ValueTask<IReadOnlyList<KnownPortal>> KnownAllAsync(string memberId, CancellationToken cancellationToken) =>
        directory.FindAll(memberId) is [_, ..] known ? new(known) : new(ReadAllAsync(memberId, cancellationToken));

    public async Task<Portal?> FindAsync(PortalId id, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        if (await database.QueryAsync($"SELECT * FROM portals WHERE {Is(id)}", r => new Row(r), cancellationToken) is [var row])
            return _rows.Read(row);
        _rows.Forget(id);
        return null;
    }

    public async Task<PortalId?> FindByRemovalKeyAsync(string key, CancellationToken cancellationToken) =>
        await database.QueryAsync($"SELECT member_id, app FROM portals WHERE removal_key_hash = {ApplicationToken.Hash(key)}",
            PortalSql.ReadId, cancellationToken) is [var id] ? id : null;

    public async Task FollowChangesAsync(CancellationToken cancellationToken)
    {
        var now = await clock.MeasureAsync(cancellationToken);
        // Earlier changes may be forgotten already. Half, as others forget while this one asks.
        var isTooLate = now - _followedTill > (ChangesKeptFor / 2).TotalMilliseconds;
        // The clock may have been put back.
        var since = isTooLate ? now : Math.Min(_followedTill, now);
        var changed = await database.QueryAsync(
            $"SELECT member_id FROM portal_changes WHERE changed_at >= {since} - {NotedBefore}",
            r => r.GetString(0), cancellationToken);
        if (isTooLate)
            directory.Clear();
        foreach (var memberId in changed)
        {
            if (directory.Outdate(memberId))
                await ReadAllAsync(memberId, cancellationToken);
        }

        _followedTill = now;
    }

    public Task ForgetOldChangesAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync($"DELETE FROM portal_changes WHERE changed_at < {database.Now} - {ChangesKeptFor}", cancellationToken);

    /// <summary>From the store: another instance may have changed the portal a moment ago.</summary>
    public async Task<IReadOnlyList<KnownPortal>> ReadAllAsync(string memberId, CancellationToken cancellationToken)
    {
        if (!PortalId.IsMemberId(memberId))
            return [];
        await keys.ReadAsync(cancellationToken);
        var stamp = directory.Stamp(memberId);
        var known = Known(await database.ReadAsync(connection => RowsAsync(connection, memberId.ToLowerInvariant()), cancellationToken));
        directory.Put(memberId, known, stamp);
        return known;
    }

    private Task<bool> UpdateAsync(PortalId id, Sql set, Sql where, CancellationToken cancellationToken) => ChangeAsync(id,
        async connection => await connection.ExecuteAsync($"UPDATE portals SET {set} WHERE {Is(id)} AND {where}") > 0, cancellationToken);

    private async Task<bool> ChangeAsync(PortalId id, Func<Connection, Task<bool>> change, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        var after = await database.ChangeAsync(async connection =>
        {
            if (!await change(connection))
                return null;
            await connection.ExecuteAsync(
                $"""
                INSERT INTO portal_changes (member_id, changed_at) VALUES ({id.MemberId}, {database.Now})
                ON CONFLICT (member_id) DO UPDATE SET changed_at = excluded.changed_at
                """);
            return await RowsAsync(connection, id.MemberId);
        }, cancellationToken);
        if (after is null)
            return false;
        // Reading notes those that cannot be decrypted.
        _rows.Forget(id);
        directory.Replace(id.MemberId, Known(after));
        return true;
    }

    private static Task<List<Row>> RowsAsync(Connection connection, string memberId) =>
        connection.QueryAsync($"SELECT * FROM portals WHERE member_id = {memberId} ORDER BY app", r => new Row(r));

    private KnownPortal[] Known(List<Row> rows) => [.. rows.Select(_rows.Read).OfType<Portal>().Select(p => new KnownPortal(p))];

    private static Sql Always => "1 = 1";

    private static Sql Is(PortalId id) => PortalSql.Is(id);
}
