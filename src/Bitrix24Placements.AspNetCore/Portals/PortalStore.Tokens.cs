namespace Bitrix24Placements.Portals;

/// <summary>The tokens' part of the store. Everything is decided by the tokens' version, so that two instances never overwrite each other.</summary>
internal sealed partial class PortalStore
{
    /// <summary>Takes the right to refresh tokens of this version. A lease of a dead instance runs out by itself.</summary>
    public async Task<bool> TryLeaseRefreshAsync(PortalId id, long version, string owner, TimeSpan duration, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await database.ExecuteAsync(
            "UPDATE portals SET refresh_owner = @owner, refresh_until = @until WHERE member_id = @id AND tokens_version = @version AND (refresh_until < @now OR refresh_owner = @owner)",
            cancellationToken, ("@id", id.MemberId), ("@version", version), ("@owner", owner), ("@until", (now + duration).ToUnixTimeMilliseconds()), ("@now", now.ToUnixTimeMilliseconds())) > 0;
    }

    public async Task<bool> IsRefreshLeasedAsync(PortalId id, long version, CancellationToken cancellationToken) =>
        (await database.QueryAsync("SELECT 1 FROM portals WHERE member_id = @id AND tokens_version = @version AND refresh_until >= @now", static r => r.GetInt32(0), cancellationToken,
            ("@id", id.MemberId), ("@version", version), ("@now", time.GetUtcNow().ToUnixTimeMilliseconds()))).Count > 0;

    public Task ReleaseRefreshAsync(PortalId id, string owner, CancellationToken cancellationToken) =>
        database.ExecuteAsync("UPDATE portals SET refresh_owner = NULL, refresh_until = 0 WHERE member_id = @id AND refresh_owner = @owner", cancellationToken, ("@id", id.MemberId), ("@owner", owner));

    /// <summary>False where the tokens have changed since that version: the caller's are then void or superfluous.</summary>
    public Task<bool> StoreRefreshedAsync(PortalId id, long version, PortalTokens tokens, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            "UPDATE portals SET tokens = @tokens, tokens_state = 1, tokens_version = tokens_version + 1, tokens_expire_at = @expires, tokens_renewed_at = @now, refresh_owner = NULL, refresh_until = 0 "
            + "WHERE member_id = @id AND tokens_version = @version AND state <> 0",
            cancellationToken, ("@tokens", vault.ProtectTokens(id.MemberId, tokens)), ("@expires", tokens.ExpiresAt.ToUnixTimeMilliseconds()),
            ("@now", time.GetUtcNow().ToUnixTimeMilliseconds()), ("@version", version));

    /// <summary>An administrator's fresh tokens in place of whatever is there; a suspended portal is installed again.</summary>
    public Task<bool> ReplaceTokensAsync(PortalId id, long userId, PortalTokens tokens, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            "UPDATE portals SET tokens = @tokens, tokens_state = 1, tokens_version = tokens_version + 1, tokens_expire_at = @expires, tokens_renewed_at = @now, user_id = @user, state = 1, "
            + "refresh_owner = NULL, refresh_until = 0 WHERE member_id = @id AND state <> 0",
            cancellationToken, ("@tokens", vault.ProtectTokens(id.MemberId, tokens)), ("@expires", tokens.ExpiresAt.ToUnixTimeMilliseconds()),
            ("@now", time.GetUtcNow().ToUnixTimeMilliseconds()), ("@user", userId));

    /// <summary>Notes that tokens of this version are failing or dead.</summary>
    public Task<bool> SetTokenStateAsync(PortalId id, long version, TokenState state, CancellationToken cancellationToken) =>
        UpdateAsync(id, "UPDATE portals SET tokens_state = @state WHERE member_id = @id AND tokens_version = @version AND tokens_state <> @state", cancellationToken,
            ("@state", (int)state), ("@version", version));

    /// <summary>Installed portals whose refresh token nobody has used since then; those whose refresh keeps failing do not stand in the others' way.</summary>
    public Task<List<PortalId>> UnusedSinceAsync(DateTimeOffset renewedBefore, int limit, CancellationToken cancellationToken) =>
        database.QueryAsync("SELECT member_id FROM portals WHERE state = 1 AND tokens_renewed_at < @before AND tokens_state <> 3 ORDER BY tokens_state, tokens_renewed_at LIMIT @limit",
            static r => new PortalId(r.GetString(0)), cancellationToken, ("@before", renewedBefore.ToUnixTimeMilliseconds()), ("@limit", limit));
}
