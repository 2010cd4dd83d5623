using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>The tokens' version decides: two instances never overwrite each other.</summary>
internal sealed partial class PortalStore
{
    // As long as what a refresh writes: its answer then needs no more of the disk.
    private static readonly string Room = new('-', 1024);

    /// <summary>One of a clock that was ahead and was put right is none.</summary>
    public static readonly TimeSpan MaxRefreshLease = TimeSpan.FromMinutes(3);

    private Sql IsRefreshing => $"(refresh_until >= {database.Now} AND refresh_until <= {database.Now} + {MaxRefreshLease})";

    private static Sql IsThere => $"state <> {PortalState.Uninstalled}";

    private static Sql NoLease => "refresh_owner = NULL, refresh_until = 0";

    public Task<bool> TryLeaseRefreshAsync(
        PortalId id, long version, string owner, TimeSpan duration, CancellationToken cancellationToken) =>
        TryLeaseAsync(id, $"tokens_version = {version}", owner, duration, cancellationToken);

    public Task<bool> IsRefreshLeasedAsync(PortalId id, long version, CancellationToken cancellationToken) => database.AnyAsync(
        $"SELECT 1 FROM portals WHERE {Is(id)} AND tokens_version = {version} AND {IsRefreshing}", cancellationToken);

    /// <param name="before">As the lease was taken: an earlier refresh without an end stays one until there are new tokens.</param>
    public Task ReleaseRefreshAsync(Portal before, string owner, CancellationToken cancellationToken)
    {
        var released = before is { HasUnfinishedRefresh: true, IsRefreshing: false } ? "refresh_until = 0" : NoLease;
        return database.ExecuteAsync(
            $"UPDATE portals SET {released} WHERE {Is(before.Id)} AND refresh_owner = {owner + Room}", cancellationToken);
    }

    /// <summary>False where the version is another; a suspended portal is installed again.</summary>
    public Task<bool> StoreRefreshedAsync(PortalId id, long version, PortalTokens tokens, CancellationToken cancellationToken) =>
        UpdateAsync(id, NewTokens(id, tokens), $"tokens_version = {version} AND {IsThere}", cancellationToken);

    /// <summary>Another administrator's good ones become the reserve; a suspended portal is installed again.</summary>
    /// <param name="oauthServer">That has confirmed them: the portal may have gone over to another.</param>
    public Task<bool> ReplaceTokensAsync(
        PortalId id, long userId, PortalTokens tokens, Uri oauthServer, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"""
            {KeepAsReserve(userId)}, {NewTokens(id, tokens)}, user_id = {userId}, is_administrator = 1,
                oauth_server = {oauthServer.AbsoluteUri}
            """,
            IsThere, cancellationToken);

    public Task<bool> SetTokenStateAsync(PortalId id, long version, TokenState state, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"tokens_state = {state}", $"tokens_version = {version} AND tokens_state <> {state}", cancellationToken);

    /// <summary>Refresh tokens unused since then. Those that keep failing come last, and in no order: however many they are, none stays
    /// behind the others.</summary>
    public Task<List<UnusedTokens>> UnusedSinceAsync(DateTimeOffset renewedBefore, int limit, CancellationToken cancellationToken)
    {
        var before = clock.ToDatabase(renewedBefore);
        return database.QueryAsync(
            $"""
            SELECT member_id, app, reserve FROM (
                SELECT member_id, app, 0 AS reserve, tokens_state AS trouble FROM portals
                WHERE state = {PortalState.Installed} AND tokens_renewed_at < {before} AND tokens_state <> {TokenState.Dead}
                UNION ALL
                SELECT member_id, app, 1, {TokenState.Failing} FROM portals
                WHERE state = {PortalState.Installed} AND reserve_renewed_at < {before} AND reserve_tokens IS NOT NULL) unused
            ORDER BY trouble, random() LIMIT {limit}
            """,
            r => PortalSql.ReadId(r) is { } id ? new UnusedTokens(id, r.GetInt32(2) == 1) : null, cancellationToken);
    }

    private async Task<bool> TryLeaseAsync(
        PortalId id, Sql isVersion, string owner, TimeSpan duration, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            $"""
            UPDATE portals SET refresh_owner = {owner + Room}, refresh_until = {database.Now} + {duration}
            WHERE {Is(id)} AND {isVersion} AND (NOT {IsRefreshing} OR refresh_owner = {owner + Room})
            """, cancellationToken) > 0;

    private Sql NewTokens(PortalId id, PortalTokens tokens) =>
        $"""
        state = {PortalState.Installed}, tokens = {Seal(id, tokens)}, tokens_state = {TokenState.Good},
            tokens_version = tokens_version + 1, tokens_expire_at = {Expiry(tokens)}, tokens_renewed_at = {database.Now}, {NoLease}
        """;

    private string Seal(PortalId id, PortalTokens tokens) => vault.Protect(id, "tokens", tokens.Serialize());

    private long Expiry(PortalTokens tokens) => clock.ToDatabase(tokens.ExpiresAt);
}

internal sealed record UnusedTokens(PortalId Id, bool IsReserve);
