using System.Collections.Concurrent;
using System.Data.Common;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Between a row of <c>portals</c> and a <see cref="Portal"/>. Rows are decrypted when their connection has been given
/// back.</summary>
internal sealed partial class PortalRows(TokenVault vault, DatabaseClock clock, ILogger logger)
{
    private const int MaxUnreadable = 100_000;

    /// <summary>Installed portals whose tokens this process was not able to decrypt. Not noted in the database: with the right
    /// keys, or on another instance, they may be good.</summary>
    private readonly ConcurrentDictionary<PortalId, bool> _undecryptable = new();

    private readonly ConcurrentDictionary<string, bool> _malformed = new();

    public const string Columns =
        "member_id, app, client_endpoint, oauth_server, state, epoch, user_id, is_administrator, "
        + "tokens, tokens_state, tokens_version, tokens_expire_at, tokens_renewed_at, application_token_hash, removal_key, "
        + "declaration, placements, reconciled_at, checked_at, removals, removed_at, "
        + "reserve_tokens, reserve_user_id, reserve_is_administrator, reserve_version, reserve_expire_at, reserve_renewed_at";

    public int Undecryptable => _undecryptable.Count;

    public void Forget(PortalId id) => _undecryptable.TryRemove(id, out _);

    public static object[] Raw(DbDataReader row)
    {
        var values = new object[row.FieldCount];
        row.GetValues(values);
        return values;
    }

    /// <summary>Null for a row that is none: told once, and nobody else's trouble.</summary>
    public Portal? Read(object[] values)
    {
        try
        {
            return Read(new Fields(values));
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidCastException or OverflowException)
        {
            if (_malformed.Count < MaxUnreadable && _malformed.TryAdd($"{values[0]}/{values[1]}", true))
                Log.Malformed(logger, $"{values[0]}/{values[1]}", e.Message);
            return null;
        }
    }

    private Portal Read(Fields row)
    {
        var id = new PortalId(row.Text(), row.Text());
        var (endpoint, server) = (new Uri(row.Text()), new Uri(row.Text()));
        var (state, epoch, userId, isAdministrator) = ((PortalState)row.Number(), row.Number(), row.Number(), row.Truth());
        var (sealedTokens, tokenState, version, expiresAt, renewedAt) =
            (row.TextOrNull(), (TokenState)row.Number(), row.Number(), clock.FromDatabase(row.Number()), clock.FromDatabase(row.Number()));
        var tokens = Open(id, sealedTokens, expiresAt);
        var isUndecryptable = sealedTokens is not null && tokens is null;
        Note(id, isUndecryptable && tokenState != TokenState.Dead && state == PortalState.Installed);
        return new Portal
        {
            Id = id,
            ClientEndpoint = endpoint,
            OAuthServer = server,
            State = state,
            Epoch = epoch,
            UserId = userId,
            IsAdministrator = isAdministrator,
            Tokens = tokens,
            // What cannot be decrypted counts as dead, not as a crash.
            TokenState = isUndecryptable ? TokenState.Dead : tokenState,
            TokensVersion = version,
            RenewedAt = renewedAt,
            ApplicationTokenHash = row.TextOrNull() is { } hash ? Convert.ToHexString(Convert.FromHexString(hash)) : null,
            RemovalKey = new(vault.Unprotect(id, "removal", row.Text()) ?? ""),
            Declaration = row.Text(),
            Placements = row.TextOrNull(),
            ReconciledAt = clock.FromDatabase(row.Number()),
            CheckedAt = clock.FromDatabase(row.Number()),
            Removals = (int)row.Number(),
            RemovedAt = clock.FromDatabase(row.Number()),
            Reserve = ReadReserve(id, row),
        };
    }

    private PortalReserve? ReadReserve(PortalId id, Fields row)
    {
        var (stored, userId, isAdministrator, version) = (row.TextOrNull(), row.Number(), row.Truth(), row.Number());
        var (expiresAt, renewedAt) = (clock.FromDatabase(row.Number()), clock.FromDatabase(row.Number()));
        return Open(id, stored, expiresAt) is { } tokens
            ? new(tokens, userId, isAdministrator) { Version = version, RenewedAt = renewedAt }
            : null;
    }

    private PortalTokens? Open(PortalId id, string? stored, DateTimeOffset expiresAt) =>
        stored is null ? null : PortalTokens.Deserialize(vault.Unprotect(id, "tokens", stored), expiresAt);

    private void Note(PortalId id, bool isUndecryptable)
    {
        if (!isUndecryptable)
            Forget(id);
        else if (_undecryptable.Count < MaxUnreadable && _undecryptable.TryAdd(id, true))
            Log.Undecryptable(logger, id);
    }

    /// <summary>A row's values in the order of <see cref="Columns"/>; SQLite has one kind of whole number, PostgreSQL two.</summary>
    private sealed class Fields(object[] values)
    {
        private int _next;

        public string Text() => (string)values[_next++];

        public string? TextOrNull() => values[_next++] switch
        {
            DBNull => null,
            var value => (string)value,
        };

        public long Number() => values[_next++] switch
        {
            long number => number,
            int number => number,
            var other => throw new FormatException($"{other.GetType().Name} where a number belongs."),
        };

        public bool Truth() => Number() != 0;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The tokens of portal {MemberId} cannot be decrypted: their key is not among the keys of tokens")]
        public static partial void Undecryptable(ILogger logger, PortalId memberId);

        [LoggerMessage(2, LogLevel.Error, "The row of portal {MemberId} cannot be read and counts as not there: {Reason}")]
        public static partial void Malformed(ILogger logger, string memberId, string reason);
    }
}
