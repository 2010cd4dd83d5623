using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Rows are decrypted when their connection was given back.</summary>
internal sealed partial class PortalRows(TokenVault vault, DatabaseClock clock, ILogger logger)
{
    private const int MaxUnreadable = 100_000;

    // Not noted in the database: another instance, or the right keys, may read them.
    private readonly ConcurrentDictionary<PortalId, bool> _undecryptable = new();

    private readonly ConcurrentDictionary<string, bool> _malformed = new();

    public int Undecryptable => _undecryptable.Count;

    public void Forget(PortalId id) => _undecryptable.TryRemove(id, out _);

    /// <summary>Null for a malformed row, told once.</summary>
    public Portal? Read(Row row)
    {
        try
        {
            return ReadPortal(row);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidCastException or OverflowException)
        {
            var name = $"{row.Text("member_id")}/{row.Text("app")}";
            if (_malformed.Count < MaxUnreadable && _malformed.TryAdd(name, true))
                Log.Malformed(logger, name, e.Message);
            return null;
        }
    }

    private Portal ReadPortal(Row row)
    {
        var id = new PortalId(row.Text("member_id"), row.Text("app"));
        var state = (PortalState)row.Number("state");
        var tokens = ReadTokens(id, row, "tokens", "tokens_expire_at");
        var tokenState = (TokenState)row.Number("tokens_state");
        var isUndecryptable = tokens is null && row.TextOrNull("tokens") is not null;
        Note(id, isUndecryptable && tokenState != TokenState.Dead && state == PortalState.Installed);
        return new Portal
        {
            Id = id,
            ClientEndpoint = new Uri(row.Text("client_endpoint")),
            OAuthServer = new Uri(row.Text("oauth_server")),
            State = state,
            Epoch = row.Number("epoch"),
            UserId = row.Number("user_id"),
            IsAdministrator = row.Truth("is_administrator"),
            Tokens = tokens,
            // Dead, not a crash.
            TokenState = isUndecryptable ? TokenState.Dead : tokenState,
            TokensVersion = row.Number("tokens_version"),
            HasUnfinishedRefresh = row.TextOrNull("refresh_owner") is not null,
            IsRefreshing = TimeSpan.FromMilliseconds(row.Number("refresh_until") - clock.Now) is var left
                && left >= TimeSpan.Zero && left <= PortalStore.MaxRefreshLease,
            Reserve = ReadTokens(id, row, "reserve_tokens", "reserve_expire_at") is not { } reserve ? null
                : new(reserve, row.Number("reserve_user_id"), row.Truth("reserve_is_administrator"))
                { Version = row.Number("reserve_version") },
            ApplicationTokenHash = row.TextOrNull("application_token_hash") is { } hash
                ? Convert.ToHexString(Convert.FromHexString(hash)) : null,
            RemovalKey = new(vault.Unprotect(id, "removal", row.Text("removal_key")) ?? ""),
            Declaration = row.Text("declaration"),
            Placements = row.TextOrNull("placements"),
            ToldAt = Instant(row, "told_at"),
            ReconciledAt = Past(row, "reconciled_at"),
            CheckedAt = Past(row, "checked_at"),
            Removals = (int)row.Number("removals"),
            RemovedAt = Past(row, "removed_at"),
        };
    }

    private PortalTokens? ReadTokens(PortalId id, Row row, string tokens, string expireAt) => row.TextOrNull(tokens) is { } stored
        ? PortalTokens.Deserialize(vault.Unprotect(id, "tokens", stored), Instant(row, expireAt)) : null;

    /// <summary>Not later than now, whatever a clock that was put right since has said.</summary>
    private DateTimeOffset Past(Row row, string name) => clock.FromDatabase(Math.Min(row.Number(name), clock.Now));

    private DateTimeOffset Instant(Row row, string name) => clock.FromDatabase(row.Number(name));

    private void Note(PortalId id, bool isUndecryptable)
    {
        if (!isUndecryptable)
            Forget(id);
        else if (_undecryptable.Count < MaxUnreadable && _undecryptable.TryAdd(id, true))
            Log.Undecryptable(logger, id);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The tokens of portal {MemberId} cannot be decrypted: their key is not among the keys of tokens")]
        public static partial void Undecryptable(ILogger logger, PortalId memberId);

        [LoggerMessage(2, LogLevel.Error, "The row of portal {MemberId} cannot be read and counts as not there: {Reason}")]
        public static partial void Malformed(ILogger logger, string memberId, string reason);
    }
}

internal sealed class Row(DbDataReader reader)
{
    private readonly Dictionary<string, object> _values =
        Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, reader.GetValue);

    public string Text(string name) => (string)_values[name];

    public string? TextOrNull(string name) => _values[name] as string;

    /// <summary>SQLite has one kind of whole number, PostgreSQL two.</summary>
    public long Number(string name) => _values[name] switch
    {
        long number => number,
        int number => number,
        var other => throw new FormatException($"{other.GetType().Name} where a number belongs."),
    };

    public bool Truth(string name) => Number(name) != 0;
}
