namespace Bitrix24Placements.Portals;

/// <summary>The tokens' part of the store. Everything is decided by the tokens' version, so that two instances never overwrite
/// each other.</summary>
internal sealed partial class PortalStore
{
    /// <summary>What a refresh writes, in size: the lease takes that much, so that storing the answer needs no more of the disk.</summary>
    private const int LeaseRoom = 1024;

    private static readonly string Room = new('-', LeaseRoom);

    private const string NewTokens =
        "tokens = @tokens, tokens_version = tokens_version + 1, tokens_expire_at = @expires, refresh_owner = NULL, refresh_until = 0";

    /// <summary>Takes the right to refresh tokens of this version. A lease of a dead instance runs out by itself.</summary>
    public Task<bool> TryLeaseRefreshAsync(
        PortalId id, long version, string owner, TimeSpan duration, CancellationToken cancellationToken) =>
        TryLeaseAsync("tokens_version", id, version, owner, duration, cancellationToken);

    public async Task<bool> IsRefreshLeasedAsync(PortalId id, long version, CancellationToken cancellationToken) =>
        (await database.QueryAsync(
            $"SELECT 1 FROM portals WHERE {IsInstallation} AND tokens_version = @version AND refresh_until >= {database.NowSql}",
            static r => r.GetInt32(0), cancellationToken, [.. Key(id), ("@version", version)])).Count > 0;

    public Task ReleaseRefreshAsync(PortalId id, string owner, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"UPDATE portals SET refresh_owner = NULL, refresh_until = 0 WHERE {IsInstallation} AND refresh_owner = @owner",
            cancellationToken,
            [.. Key(id), ("@owner", owner + Room)]);

    /// <summary>False where the tokens have changed since that version: the caller's are then void or superfluous.</summary>
    public Task<bool> StoreRefreshedAsync(PortalId id, long version, PortalTokens tokens, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"""
            UPDATE portals SET {NewTokens}, tokens_state = {Good}, tokens_renewed_at = {database.NowSql}
            WHERE {IsInstallation} AND tokens_version = @version AND state <> {Uninstalled}
            """,
            cancellationToken, [.. TokenParameters(id, userId: 0, tokens), ("@version", version)]);

    /// <summary>An administrator's fresh tokens in place of whatever is there; a suspended portal is installed again. Another
    /// administrator's good ones become the reserve.</summary>
    public Task<bool> ReplaceTokensAsync(PortalId id, long userId, PortalTokens tokens, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"""
            UPDATE portals SET {KeepAsReserve}, {NewTokens}, tokens_state = {Good}, tokens_renewed_at = {database.NowSql},
                user_id = @user, is_administrator = 1, state = {Installed}
            WHERE {IsInstallation} AND state <> {Uninstalled}
            """,
            cancellationToken, TokenParameters(id, userId, tokens));

    /// <summary>Notes that tokens of this version are failing or dead.</summary>
    public Task<bool> SetTokenStateAsync(PortalId id, long version, TokenState state, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"UPDATE portals SET tokens_state = @state WHERE {IsInstallation} AND tokens_version = @version AND tokens_state <> @state",
            cancellationToken,
            ("@state", (int)state), ("@version", version));

    /// <summary>Tokens and reserves of installed portals whose refresh token nobody has used since then; those whose refresh
    /// keeps failing do not stand in the others' way.</summary>
    public async Task<List<UnusedTokens>> UnusedSinceAsync(DateTimeOffset renewedBefore, int limit, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            $"""
            SELECT member_id, app, reserve FROM (
                SELECT member_id, app, 0 AS reserve, tokens_state AS trouble, tokens_renewed_at AS renewed_at FROM portals
                WHERE state = {Installed} AND tokens_renewed_at < @before AND tokens_state <> {Dead}
                UNION ALL
                SELECT member_id, app, 1, {(int)TokenState.Failing}, reserve_renewed_at FROM portals
                WHERE state = {Installed} AND reserve_renewed_at < @before AND reserve_tokens IS NOT NULL) unused
            ORDER BY trouble, renewed_at LIMIT @limit
            """,
            static r => (Id: ReadId(r), IsReserve: r.GetInt32(2) == 1), cancellationToken, ("@before", clock.ToDatabase(renewedBefore)),
            ("@limit", limit));
        return [.. rows.Where(static r => r.Id is not null).Select(static r => new UnusedTokens(r.Id.GetValueOrDefault(), r.IsReserve))];
    }

    private async Task<bool> TryLeaseAsync(
        string column, PortalId id, long version, string owner, TimeSpan duration, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            $"""
            UPDATE portals SET refresh_owner = @owner, refresh_until = {database.NowSql} + @duration
            WHERE {IsInstallation} AND {column} = @version AND (refresh_until < {database.NowSql} OR refresh_owner = @owner)
            """,
            cancellationToken,
            [.. Key(id), ("@version", version), ("@owner", owner + Room), ("@duration", (long)duration.TotalMilliseconds)]) > 0;

    private (string Name, object? Value)[] TokenParameters(PortalId id, long userId, PortalTokens tokens) =>
        [("@tokens", vault.Protect(id, "tokens", tokens.Serialize())), ("@expires", clock.ToDatabase(tokens.ExpiresAt)), ("@user", userId)];
}

/// <param name="IsReserve">It is the portal's reserve that is old.</param>
internal sealed record UnusedTokens(PortalId Id, bool IsReserve);
