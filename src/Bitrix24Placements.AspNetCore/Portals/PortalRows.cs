using System.Collections.Concurrent;
using System.Data.Common;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Between a row of <c>portals</c> and a <see cref="Portal"/>.</summary>
internal sealed partial class PortalRows(TokenVault vault, ILogger logger)
{
    private const int MostUnreadable = 100_000;

    /// <summary>Installed portals whose tokens this process was not able to decrypt. Not noted in the database: with the right keys, or on another instance, they may be good.</summary>
    private readonly ConcurrentDictionary<PortalId, bool> _unreadable = new();

    public const string Columns =
        "member_id, client_endpoint, oauth_server, state, epoch, user_id, tokens, tokens_state, tokens_version, tokens_expire_at, "
        + "application_token_hash, removal_key, declaration, placements, reconciled_at, checked_at, removals, removed_at";

    public int Unreadable => _unreadable.Count;

    public void Forget(PortalId id) => _unreadable.TryRemove(id, out _);

    public Portal Read(DbDataReader row)
    {
        var id = new PortalId(row.GetString(0));
        var expires = Instant(row.GetInt64(9));
        var stored = row.TextOrNull(6);
        var opened = stored is null ? null : vault.UnprotectTokens(id.MemberId, stored);
        var tokenState = (TokenState)row.GetInt32(7);
        var unreadable = stored is not null && opened is null;
        Note(id, unreadable && tokenState != TokenState.Dead && (PortalState)row.GetInt32(3) == PortalState.Installed);
        return new Portal
        {
            Id = id,
            ClientEndpoint = new Uri(row.GetString(1)),
            OAuthServer = new Uri(row.GetString(2)),
            State = (PortalState)row.GetInt32(3),
            Epoch = row.GetInt64(4),
            UserId = row.GetInt64(5),
            Tokens = opened is { } t ? new PortalTokens(t.Access, t.Refresh, expires) : null,
            // What cannot be decrypted counts as dead, not as a crash.
            TokenState = unreadable ? TokenState.Dead : tokenState,
            TokensVersion = row.GetInt64(8),
            ApplicationTokenHash = row.TextOrNull(10),
            RemovalKey = new(vault.Unprotect(id.MemberId, "removal", row.GetString(11)) ?? ""),
            Declaration = row.GetString(12),
            Placements = row.TextOrNull(13),
            ReconciledAt = Instant(row.GetInt64(14)),
            CheckedAt = Instant(row.GetInt64(15)),
            Removals = row.GetInt32(16),
            RemovedAt = Instant(row.GetInt64(17)),
        };
    }

    private void Note(PortalId id, bool unreadable)
    {
        if (!unreadable)
            Forget(id);
        else if (_unreadable.Count < MostUnreadable && _unreadable.TryAdd(id, true))
            Log.Unreadable(logger, id);
    }

    public static DateTimeOffset Instant(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The tokens of portal {MemberId} cannot be decrypted: their key is not among the keys of tokens")]
        public static partial void Unreadable(ILogger logger, PortalId memberId);
    }
}
