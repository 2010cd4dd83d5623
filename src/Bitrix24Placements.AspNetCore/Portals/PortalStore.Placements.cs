using System.Globalization;

namespace Bitrix24Placements.Portals;

/// <summary>What the reconciler keeps of a portal.</summary>
internal sealed partial class PortalStore
{
    /// <param name="declaration">For which declaration all is registered; empty where something is missing.</param>
    public Task<bool> SaveReconciliationAsync(PortalId id, long epoch, string declaration, string placements, CancellationToken cancellationToken) =>
        UpdateAsync(id, "UPDATE portals SET declaration = @declaration, placements = @placements, reconciled_at = @now WHERE member_id = @id AND epoch = @epoch AND state = 1", cancellationToken,
            ("@declaration", declaration), ("@placements", placements), ("@now", time.GetUtcNow().ToUnixTimeMilliseconds()), ("@epoch", epoch));

    public Task<bool> SaveRemovalsAsync(PortalId id, int removals, DateTimeOffset removedAt, CancellationToken cancellationToken) =>
        UpdateAsync(id, "UPDATE portals SET removals = @removals, removed_at = @at WHERE member_id = @id", cancellationToken,
            ("@removals", removals), ("@at", removedAt.ToUnixTimeMilliseconds()));

    /// <summary>The removal key cannot be read any more: another one, which the reconciler then registers.</summary>
    public Task<bool> ReplaceRemovalKeyAsync(PortalId id, Secret key, CancellationToken cancellationToken) =>
        UpdateAsync(id, "UPDATE portals SET removal_key = @key, removal_key_hash = @hash WHERE member_id = @id", cancellationToken,
            ("@key", vault.Protect(id.MemberId, "removal", key.Reveal())), ("@hash", ApplicationToken.Hash(key.Reveal())));

    /// <summary>Installed portals that were last reconciled for another declaration, a page in the order of the index.</summary>
    /// <param name="after">The last one of the page before; null for the first page.</param>
    public Task<List<DeclaredPortal>> OfOtherDeclarationAsync(string declaration, DeclaredPortal? after, int limit, CancellationToken cancellationToken)
    {
        // Two ranges of the index instead of "<>", which would read every row; each page begins where the last one ended.
        const string open =
            "SELECT declaration, member_id FROM portals WHERE state = 1 AND tokens_state <> 3 AND (declaration, member_id) > (@after, @id) AND declaration {0} @declaration ORDER BY declaration, member_id LIMIT @limit";
        var sql = $"SELECT * FROM ({string.Format(CultureInfo.InvariantCulture, open, "<")}) a UNION ALL SELECT * FROM ({string.Format(CultureInfo.InvariantCulture, open, ">")}) b ORDER BY declaration, member_id LIMIT @limit";
        return database.QueryAsync(sql, static r => new DeclaredPortal(r.GetString(0), new(r.GetString(1))), cancellationToken,
            ("@declaration", declaration), ("@after", after?.Declaration ?? ""), ("@id", after?.Id.MemberId ?? ""), ("@limit", limit));
    }

    /// <summary>How many portals there are in each state, and how many of them have dead tokens: those that this process was not able to decrypt are among them.</summary>
    public async Task<PortalCounts> CountAsync(CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync("SELECT state, tokens_state, COUNT(*) FROM portals GROUP BY state, tokens_state",
            static r => (State: (PortalState)r.GetInt32(0), Tokens: (TokenState)r.GetInt32(1), Count: r.GetInt64(2)), cancellationToken);
        return new(
            rows.Where(static r => r.State == PortalState.Installed).Sum(static r => r.Count),
            rows.Where(static r => r.State == PortalState.Suspended).Sum(static r => r.Count),
            rows.Where(static r => r.State == PortalState.Uninstalled).Sum(static r => r.Count),
            rows.Where(static r => r.State == PortalState.Installed && r.Tokens == TokenState.Dead).Sum(static r => r.Count) + _rows.Unreadable);
    }
}

/// <summary>A portal and for which declaration it was last reconciled.</summary>
internal sealed record DeclaredPortal(string Declaration, PortalId Id);

internal sealed record PortalCounts(long Installed, long Suspended, long Uninstalled, long DeadTokens);
