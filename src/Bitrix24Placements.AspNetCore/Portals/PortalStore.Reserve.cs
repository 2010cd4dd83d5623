using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>A second pair of tokens by portal, of another user than the first.</summary>
internal sealed partial class PortalStore
{
    /// <summary>ONAPPUSERREADY's never takes the place of an administrator's.</summary>
    private static Sql HasRoomForReserve(Sql isAdministrator) =>
        $"(portals.reserve_tokens IS NULL OR portals.reserve_is_administrator = 0 OR {isAdministrator} = 1)";

    /// <summary>Within an update that brings new tokens of a user: good ones of somebody else become the reserve.</summary>
    private static Sql KeepAsReserve(long user)
    {
        Sql isKept =
            $"""
            portals.tokens IS NOT NULL AND portals.tokens_state = {TokenState.Good} AND portals.user_id <> {user}
                AND {HasRoomForReserve("portals.is_administrator")}
            """;
        Sql Moved(Sql reserve, Sql present) => $"{reserve} = CASE WHEN {isKept} THEN portals.{present} ELSE portals.{reserve} END";
        return
            $"""
            reserve_tokens = CASE WHEN {isKept} THEN portals.tokens
                WHEN portals.reserve_user_id = {user} THEN NULL ELSE portals.reserve_tokens END,
            reserve_version = portals.reserve_version + 1,
            {Moved("reserve_user_id", "user_id")},
            {Moved("reserve_is_administrator", "is_administrator")},
            {Moved("reserve_expire_at", "tokens_expire_at")},
            {Moved("reserve_renewed_at", "tokens_renewed_at")}
            """;
    }

    /// <summary>False where it is the first pair's user, or none but an administrator's may take its place.</summary>
    public Task<bool> SaveReserveAsync(PortalId id, PortalReserve reserve, CancellationToken cancellationToken) => UpdateAsync(id,
        $"""
        UPDATE portals SET reserve_tokens = {Seal(id, reserve.Tokens)}, reserve_user_id = {reserve.UserId},
            reserve_is_administrator = {reserve.IsAdministrator}, reserve_version = reserve_version + 1,
            reserve_expire_at = {Expiry(reserve.Tokens)}, reserve_renewed_at = {database.Now}
        WHERE {Is(id)} AND state <> {PortalState.Uninstalled} AND user_id <> {reserve.UserId}
            AND {HasRoomForReserve($"{reserve.IsAdministrator}")}
        """, cancellationToken);

    /// <summary>False where there is none, or somebody has brought newer tokens than these.</summary>
    public Task<bool> UseReserveAsync(PortalId id, long version, CancellationToken cancellationToken) => UpdateAsync(id,
        $"""
        UPDATE portals SET tokens = reserve_tokens, user_id = reserve_user_id, is_administrator = reserve_is_administrator,
            tokens_state = {TokenState.Good}, tokens_version = tokens_version + 1, tokens_expire_at = reserve_expire_at,
            tokens_renewed_at = reserve_renewed_at, reserve_tokens = NULL, reserve_version = reserve_version + 1, {NoLease}
        WHERE {Is(id)} AND tokens_version = {version} AND reserve_tokens IS NOT NULL AND state <> {PortalState.Uninstalled}
        """, cancellationToken);

    public Task<bool> TryLeaseReserveAsync(
        PortalId id, long reserveVersion, string owner, TimeSpan duration, CancellationToken cancellationToken) =>
        TryLeaseAsync(id, $"reserve_version = {reserveVersion}", owner, duration, cancellationToken);

    public Task<bool> StoreRefreshedReserveAsync(
        PortalId id, long reserveVersion, PortalTokens tokens, CancellationToken cancellationToken) => UpdateAsync(id,
        $"""
        UPDATE portals SET reserve_tokens = {Seal(id, tokens)}, reserve_version = reserve_version + 1,
            reserve_expire_at = {Expiry(tokens)}, reserve_renewed_at = {database.Now}, {NoLease}
        WHERE {Is(id)} AND reserve_version = {reserveVersion} AND reserve_tokens IS NOT NULL AND state <> {PortalState.Uninstalled}
        """, cancellationToken);

    public Task<bool> DropReserveAsync(PortalId id, long reserveVersion, CancellationToken cancellationToken) => UpdateAsync(id,
        $"""
        UPDATE portals SET reserve_tokens = NULL, reserve_version = reserve_version + 1
        WHERE {Is(id)} AND reserve_version = {reserveVersion}
        """, cancellationToken);
}
