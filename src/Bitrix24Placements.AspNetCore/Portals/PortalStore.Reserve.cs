namespace Bitrix24Placements.Portals;

/// <summary>A second pair of tokens by portal, of another user than the first.</summary>
internal sealed partial class PortalStore
{
    /// <summary>ONAPPUSERREADY's never takes the place of an administrator's.</summary>
    private const string HasRoomForReserve = "(portals.reserve_tokens IS NULL OR portals.reserve_is_administrator = 0 OR {0} = 1)";

    /// <summary>Within an update that brings new tokens of <c>@user</c>: good ones of somebody else become the reserve, an older
    /// reserve of his goes.</summary>
    private static readonly string KeepAsReserve = MakeKeepAsReserve();

    private static string MakeKeepAsReserve()
    {
        var isKept = $"portals.tokens IS NOT NULL AND portals.tokens_state = {Good} AND portals.user_id <> @user AND "
            + HasRoomForReserve.Replace("{0}", "portals.is_administrator", StringComparison.Ordinal);
        (string Reserve, string Present)[] columns =
        [
            ("reserve_user_id", "user_id"), ("reserve_is_administrator", "is_administrator"),
            ("reserve_expire_at", "tokens_expire_at"), ("reserve_renewed_at", "tokens_renewed_at"),
        ];
        return $"reserve_tokens = CASE WHEN {isKept} THEN portals.tokens "
            + "WHEN portals.reserve_user_id = @user THEN NULL ELSE portals.reserve_tokens END, "
            + "reserve_version = portals.reserve_version + 1"
            + string.Concat(
                columns.Select(c => $", {c.Reserve} = CASE WHEN {isKept} THEN portals.{c.Present} ELSE portals.{c.Reserve} END"));
    }

    /// <summary>Keeps a second pair. False where it is the first pair's user, or where an administrator's is there and this is
    /// none.</summary>
    public Task<bool> SaveReserveAsync(PortalId id, PortalReserve reserve, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"""
            UPDATE portals SET reserve_tokens = @tokens, reserve_user_id = @user, reserve_is_administrator = @administrator,
                reserve_version = reserve_version + 1,
                reserve_expire_at = @expires, reserve_renewed_at = {database.NowSql}
            WHERE {IsInstallation} AND state <> {Uninstalled} AND user_id <> @user
                AND {HasRoomForReserve.Replace("{0}", "@administrator", StringComparison.Ordinal)}
            """,
            cancellationToken,
            [.. TokenParameters(id, reserve.UserId, reserve.Tokens), ("@administrator", reserve.IsAdministrator ? 1 : 0)]);

    /// <summary>Tokens of this version were refused for good: the reserve takes their place. False where there is none, or
    /// somebody has brought newer ones.</summary>
    public Task<bool> UseReserveAsync(PortalId id, long version, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"""
            UPDATE portals SET tokens = reserve_tokens, user_id = reserve_user_id, is_administrator = reserve_is_administrator,
                tokens_state = {Good},
                tokens_version = tokens_version + 1, tokens_expire_at = reserve_expire_at, tokens_renewed_at = reserve_renewed_at,
                reserve_tokens = NULL, reserve_version = reserve_version + 1, refresh_owner = NULL, refresh_until = 0
            WHERE {IsInstallation} AND tokens_version = @version AND reserve_tokens IS NOT NULL AND state <> {Uninstalled}
            """,
            cancellationToken, ("@version", version));

    /// <summary>The right to refresh a reserve of this version: the same one as for the first pair, one at a time.</summary>
    public Task<bool> TryLeaseReserveAsync(
        PortalId id, long reserveVersion, string owner, TimeSpan duration, CancellationToken cancellationToken) =>
        TryLeaseAsync("reserve_version", id, reserveVersion, owner, duration, cancellationToken);

    /// <summary>False where the reserve has changed since that version.</summary>
    public Task<bool> StoreRefreshedReserveAsync(
        PortalId id, long reserveVersion, PortalTokens tokens, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"""
            UPDATE portals SET reserve_tokens = @tokens, reserve_version = reserve_version + 1, reserve_expire_at = @expires,
                reserve_renewed_at = {database.NowSql},
                refresh_owner = NULL, refresh_until = 0
            WHERE {IsInstallation} AND reserve_version = @version AND reserve_tokens IS NOT NULL AND state <> {Uninstalled}
            """,
            cancellationToken, [.. TokenParameters(id, userId: 0, tokens), ("@version", reserveVersion)]);

    /// <summary>The reserve of this version was refused for good.</summary>
    public Task<bool> DropReserveAsync(PortalId id, long reserveVersion, CancellationToken cancellationToken) =>
        UpdateAsync(id,
            $"""
            UPDATE portals SET reserve_tokens = NULL, reserve_version = reserve_version + 1
            WHERE {IsInstallation} AND reserve_version = @version
            """,
            cancellationToken,
            ("@version", reserveVersion));
}
