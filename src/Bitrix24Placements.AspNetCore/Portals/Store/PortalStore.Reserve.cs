using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>A second pair of tokens, of another user than the first.</summary>
internal sealed partial class PortalStore
{
    // ONAPPUSERREADY's never takes an administrator's place.
    private static Sql HasRoomForReserve(Sql isAdministrator) =>
        $"(portals.reserve_tokens IS NULL OR portals.reserve_is_administrator = 0 OR {isAdministrator} = 1)";

    // Where new tokens of a user come: somebody else's good ones become the reserve.
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

    /// <summary>False for the first pair's user, and where only an administrator's may take its place.</summary>
    public Task<bool> SaveReserveAsync(PortalId id, PortalReserve reserve, CancellationToken cancellationToken) =>
        SaveReserveAsync(id, reserve, HasRoomForReserve($"{reserve.IsAdministrator}"), cancellationToken);

    /// <summary>Refreshed while the pairs have changed places, or another has come: the same user's older ones give way to them.</summary>
    public async Task<bool> SaveLateAsync(PortalId id, long epoch, PortalReserve refreshed, CancellationToken cancellationToken)
    {
        var (user, expiry) = (refreshed.UserId, Expiry(refreshed.Tokens));
        return await UpdateAsync(id, NewTokens(id, refreshed.Tokens),
                $"{IsThere} AND epoch = {epoch} AND user_id = {user} AND tokens_expire_at < {expiry}", cancellationToken)
            || await SaveReserveAsync(id, refreshed,
                $"epoch = {epoch} AND (reserve_tokens IS NULL OR (reserve_user_id = {user} AND reserve_expire_at < {expiry}))",
                cancellationToken);
    }

    private Task<bool> SaveReserveAsync(PortalId id, PortalReserve reserve, Sql where, CancellationToken cancellationToken) => UpdateAsync(
        id,
        $"{NewReserve(id, reserve.Tokens)}, reserve_user_id = {reserve.UserId}, reserve_is_administrator = {reserve.IsAdministrator}",
        $"{IsThere} AND user_id <> {reserve.UserId} AND {where}", cancellationToken);

    /// <summary>False where newer ones have come. The first pair becomes the reserve, unless it is refused for good.</summary>
    public Task<bool> UseReserveAsync(
        PortalId id, long version, long reserveVersion, bool isRefusedForGood, CancellationToken cancellationToken) => UpdateAsync(id,
        $"""
        tokens = reserve_tokens, user_id = reserve_user_id, is_administrator = reserve_is_administrator,
            tokens_expire_at = reserve_expire_at, tokens_renewed_at = reserve_renewed_at,
            reserve_tokens = CASE WHEN {isRefusedForGood} = 1 OR tokens_state = {TokenState.Dead} THEN NULL ELSE tokens END,
            reserve_user_id = user_id, reserve_is_administrator = is_administrator,
            reserve_expire_at = tokens_expire_at, reserve_renewed_at = tokens_renewed_at,
            tokens_state = {TokenState.Good}, tokens_version = tokens_version + 1, reserve_version = reserve_version + 1, {NoLease}
        """,
        $"tokens_version = {version} AND reserve_version = {reserveVersion} AND reserve_tokens IS NOT NULL AND {IsThere}",
        cancellationToken);

    /// <summary>Their user is no administrator any more: the two pairs change places where the other is an administrator's.</summary>
    public Task<bool> NoteOrdinaryAsync(PortalId id, long userId, CancellationToken cancellationToken)
    {
        Sql isOther = "reserve_tokens IS NOT NULL AND reserve_is_administrator = 1";
        Sql Swapped(Sql present, Sql reserve) =>
            $"""
            {present} = CASE WHEN {isOther} THEN {reserve} ELSE {present} END,
            {reserve} = CASE WHEN {isOther} THEN {present} ELSE {reserve} END
            """;
        return UpdateAsync(id,
            $"""
            {Swapped("tokens", "reserve_tokens")}, {Swapped("user_id", "reserve_user_id")},
            {Swapped("tokens_expire_at", "reserve_expire_at")}, {Swapped("tokens_renewed_at", "reserve_renewed_at")},
            is_administrator = CASE WHEN {isOther} THEN 1 ELSE 0 END,
            reserve_is_administrator = CASE WHEN {isOther} THEN 0 ELSE reserve_is_administrator END,
            tokens_version = tokens_version + 1, reserve_version = reserve_version + 1, {NoLease}
            """,
            // The answer to a refresh that is under way goes to the pair that it was asked for.
            $"""
            user_id = {userId} AND is_administrator = 1 AND tokens_state = {TokenState.Good} AND {IsThere}
                AND NOT {IsRefreshing}
            """, cancellationToken);
    }

    public Task<bool> TryLeaseReserveAsync(
        PortalId id, long reserveVersion, string owner, TimeSpan duration, CancellationToken cancellationToken) =>
        TryLeaseAsync(id, $"reserve_version = {reserveVersion}", owner, duration, cancellationToken);

    public Task<bool> StoreRefreshedReserveAsync(
        PortalId id, long reserveVersion, PortalTokens tokens, CancellationToken cancellationToken) => UpdateAsync(id,
        $"{NewReserve(id, tokens)}, {NoLease}", $"reserve_version = {reserveVersion} AND reserve_tokens IS NOT NULL AND {IsThere}",
        cancellationToken);

    public Task<bool> DropReserveAsync(PortalId id, long reserveVersion, CancellationToken cancellationToken) =>
        UpdateAsync(id, NoReserve, $"reserve_version = {reserveVersion}", cancellationToken);

    private static Sql NoReserve => "reserve_tokens = NULL, reserve_version = reserve_version + 1";

    private Sql NewReserve(PortalId id, PortalTokens tokens) =>
        $"""
        reserve_tokens = {Seal(id, tokens)}, reserve_version = reserve_version + 1,
            reserve_expire_at = {Expiry(tokens)}, reserve_renewed_at = {database.Now}
        """;
}
