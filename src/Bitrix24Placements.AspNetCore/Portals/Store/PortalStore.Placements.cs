using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

internal sealed partial class PortalStore
{
    /// <param name="declaration">Empty where something is missing.</param>
    public Task<bool> SaveReconciliationAsync(
        PortalId id, long epoch, string declaration, string placements, CancellationToken cancellationToken) => UpdateAsync(id,
        $"declaration = {declaration}, placements = {placements}, reconciled_at = {database.Now}",
        $"epoch = {epoch} AND state = {PortalState.Installed}", cancellationToken);

    public Task<bool> SaveRemovalsAsync(PortalId id, int removals, DateTimeOffset removedAt, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"removals = {removals}, removed_at = {clock.ToDatabase(removedAt)}", Always, cancellationToken);

    public Task<bool> ReplaceRemovalKeyAsync(PortalId id, Secret key, CancellationToken cancellationToken) => UpdateAsync(id,
        $"removal_key = {vault.Protect(id, "removal", key.Reveal())}, removal_key_hash = {ApplicationToken.Hash(key.Reveal())}",
        Always, cancellationToken);

    /// <summary>A page, in the index's order, of portals last reconciled for another one.</summary>
    public Task<List<DeclaredPortal>> OfOtherDeclarationAsync(
        string declaration, DeclaredPortal? after, int limit, CancellationToken cancellationToken)
    {
        // Two ranges of the index: "<>" would read every row.
        Sql Range(Sql comparison) =>
            $"""
            SELECT declaration, member_id, app FROM portals
            WHERE state = {PortalState.Installed} AND tokens_state <> {TokenState.Dead}
                AND (declaration, member_id, app) > ({after?.Declaration ?? ""}, {after?.Id.MemberId ?? ""}, {after?.Id.App ?? ""})
                AND declaration {comparison} {declaration}
            ORDER BY declaration, member_id, app LIMIT {limit}
            """;
        return database.QueryAsync(
            $"""
            SELECT member_id, app, declaration
            FROM (SELECT * FROM ({Range("<")}) a UNION ALL SELECT * FROM ({Range(">")}) b) both_ranges
            ORDER BY declaration, member_id, app LIMIT {limit}
            """,
            r => PortalSql.ReadId(r) is { } id ? new DeclaredPortal(r.GetString(2), id) : null, cancellationToken);
    }

    /// <summary>Tokens that this process could not decrypt count as dead.</summary>
    public async Task<PortalCounts> CountAsync(CancellationToken cancellationToken) => (await database.ReadLongAsync(
        connection => connection.QueryAsync(
            $"""
            SELECT COUNT(*) FILTER (WHERE state = {PortalState.Installed}),
                COUNT(*) FILTER (WHERE state = {PortalState.Suspended}),
                COUNT(*) FILTER (WHERE state = {PortalState.Uninstalled}),
                COUNT(*) FILTER (WHERE state = {PortalState.Installed} AND tokens_state = {TokenState.Dead}),
                COUNT(*) FILTER (WHERE state = {PortalState.Installed} AND is_administrator = 0)
            FROM portals
            """,
            r => new PortalCounts(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3) + _rows.Undecryptable, r.GetInt64(4))),
        cancellationToken))[0];
}

internal sealed record DeclaredPortal(string Declaration, PortalId Id);

/// <param name="WithoutAdministrator">With a system user's tokens, which bind no placements.</param>
internal sealed record PortalCounts(long Installed, long Suspended, long Uninstalled, long DeadTokens, long WithoutAdministrator);
