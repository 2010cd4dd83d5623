using System.Data.Common;

namespace Bitrix24Placements.Portals;

/// <summary>Between a row of <c>portals</c> and a <see cref="Portal"/>.</summary>
internal sealed class PortalRows(TokenVault vault)
{
    public const string Columns =
        "member_id, client_endpoint, oauth_server, state, epoch, user_id, tokens, tokens_state, tokens_version, tokens_expire_at, "
        + "application_token_hash, removal_key, declaration, placements, reconciled_at, checked_at, removals, removed_at";

    public Portal Read(DbDataReader row)
    {
        var memberId = row.GetString(0);
        var expires = Instant(row.GetInt64(9));
        var stored = row.TextOrNull(6);
        var opened = stored is null ? null : vault.UnprotectTokens(memberId, stored);
        var tokenState = (TokenState)row.GetInt32(7);
        return new Portal
        {
            MemberId = memberId,
            ClientEndpoint = new Uri(row.GetString(1)),
            OAuthServer = new Uri(row.GetString(2)),
            State = (PortalState)row.GetInt32(3),
            Epoch = row.GetInt64(4),
            UserId = row.GetInt64(5),
            Tokens = opened is { } t ? new PortalTokens(t.Access, t.Refresh, expires) : null,
            // What cannot be decrypted counts as dead, not as a crash.
            TokenState = stored is not null && opened is null ? TokenState.Dead : tokenState,
            TokensVersion = row.GetInt64(8),
            ApplicationTokenHash = row.TextOrNull(10),
            RemovalKey = new(vault.Unprotect(memberId, "removal", row.GetString(11)) ?? ""),
            Declaration = row.GetString(12),
            Placements = row.TextOrNull(13),
            ReconciledAt = Instant(row.GetInt64(14)),
            CheckedAt = Instant(row.GetInt64(15)),
            Removals = row.GetInt32(16),
            RemovedAt = Instant(row.GetInt64(17)),
        };
    }

    public static DateTimeOffset Instant(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
