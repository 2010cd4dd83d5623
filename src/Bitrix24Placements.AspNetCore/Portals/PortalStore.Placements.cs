namespace Bitrix24Placements.Portals;

/// <summary>What the reconciler keeps of a portal.</summary>
internal sealed partial class PortalStore
{
    /// <param name="declaration">For which declaration all is registered; empty where something is missing.</param>
    public Task<bool> SaveReconciliationAsync(
        PortalId id, long epoch, string declaration, string placements, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"""
            UPDATE portals SET declaration = @declaration, placements = @placements, reconciled_at = {database.NowSql}
            WHERE {IsInstallation} AND epoch = @epoch AND state = {Installed}
            """,
            cancellationToken, ("@declaration", declaration), ("@placements", placements), ("@epoch", epoch));

    public Task<bool> SaveRemovalsAsync(PortalId id, int removals, DateTimeOffset removedAt, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"UPDATE portals SET removals = @removals, removed_at = @at WHERE {IsInstallation}", cancellationToken,
            ("@removals", removals), ("@at", clock.ToDatabase(removedAt)));

    /// <summary>The removal key cannot be read any more: another one, which the reconciler then registers.</summary>
    public Task<bool> ReplaceRemovalKeyAsync(PortalId id, Secret key, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"UPDATE portals SET removal_key = @key, removal_key_hash = @hash WHERE {IsInstallation}", cancellationToken,
            ("@key", vault.Protect(id, "removal", key.Reveal())), ("@hash", ApplicationToken.Hash(key.Reveal())));

    /// <summary>Installed portals that were last reconciled for another declaration, a page in the order of the index.</summary>
    /// <param name="after">The last one of the page before; null for the first page.</param>
    public async Task<List<DeclaredPortal>> OfOtherDeclarationAsync(
        string declaration, DeclaredPortal? after, int limit, CancellationToken cancellationToken)
    {
        // Two ranges of the index instead of "<>", which would read every row; each page begins where the last one ended.
        static string Range(string comparison) =>
            $"""
            SELECT declaration, member_id, app FROM portals
            WHERE state = {Installed} AND tokens_state <> {Dead} AND (declaration, member_id, app) > (@after, @id, @app)
                AND declaration {comparison} @declaration
            ORDER BY declaration, member_id, app LIMIT @limit
            """;
        var rows = await database.QueryAsync(
            $"""
            SELECT member_id, app, declaration
            FROM (SELECT * FROM ({Range("<")}) a UNION ALL SELECT * FROM ({Range(">")}) b) both_ranges
            ORDER BY declaration, member_id, app LIMIT @limit
            """,
            static r => (Id: ReadId(r), Declaration: r.GetString(2)), cancellationToken,
            ("@declaration", declaration), ("@after", after?.Declaration ?? ""), ("@id", after?.Id.MemberId ?? ""),
            ("@app", after?.Id.App ?? ""), ("@limit", limit));
        return [.. rows.Where(static r => r.Id is not null)
            .Select(static r => new DeclaredPortal(r.Declaration, r.Id.GetValueOrDefault()))];
    }

    /// <summary>How many portals there are in each state, and how many of them have dead tokens: those that this process was not
    /// able to decrypt are among them.</summary>
    public async Task<PortalCounts> CountAsync(CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync("SELECT state, tokens_state, COUNT(*) FROM portals GROUP BY state, tokens_state",
            static r => (State: (PortalState)r.GetInt32(0), Tokens: (TokenState)r.GetInt32(1), Count: r.GetInt64(2)), cancellationToken);
        return new(
            rows.Where(static r => r.State == PortalState.Installed).Sum(static r => r.Count),
            rows.Where(static r => r.State == PortalState.Suspended).Sum(static r => r.Count),
            rows.Where(static r => r.State == PortalState.Uninstalled).Sum(static r => r.Count),
            rows.Where(static r => r.State == PortalState.Installed && r.Tokens == TokenState.Dead).Sum(static r => r.Count)
                + _rows.Undecryptable);
    }
}

/// <summary>A portal and for which declaration it was last reconciled.</summary>
internal sealed record DeclaredPortal(string Declaration, PortalId Id);

internal sealed record PortalCounts(long Installed, long Suspended, long Uninstalled, long DeadTokens);
