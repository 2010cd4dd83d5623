using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>An event that was answered 200 and waits for its handler.</summary>
/// <param name="EventId">The same over repeats of one event.</param>
/// <param name="Payload">What the handler needs; encrypted in the store.</param>
internal sealed record InboxEvent(PortalId Id, string EventId, string Name, string Payload)
{
    public DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Not before this time has passed.</summary>
    public TimeSpan DueIn { get; init; }

    /// <summary>How often it was tried in vain.</summary>
    public int Attempt { get; init; }
}

internal sealed record InboxCounts(long Waiting, long Failed);

/// <summary>Events by portal, in their order. Each portal with events has one piece of work of the kind
/// <see cref="WorkKind.Events"/>: so no two of one portal are ever handled at once, and different portals' side by
/// side.</summary>
internal sealed class InboxStore(Database database, DatabaseClock clock, TokenVault vault, TokenKeys keys)
{
    /// <summary>A portal that floods fills its own share, not the database.</summary>
    public const int MaxWaitingOfPortal = 2_000;

    private const int Waiting = 0;
    private const int Failed = 1;
    private const int Done = 2;

    private const string IsPortal = "member_id = @id AND app = @app";
    private const string IsEvent = IsPortal + " AND id = @event";

    /// <summary>Stores an event with the work that handles it. True where it is known already, too; false where its portal has
    /// too many waiting.</summary>
    public async Task<bool> AddAsync(InboxEvent received, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        var payload = vault.Protect(received.Id, "event", received.Payload);
        return await database.RunAsync(async (connection, token) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(token);
            // Files the work first: its row lets writers of one portal take turns, so that their order is one.
            await PortalWork.RequestAsync(
                connection, database.NowSql, received.Id, WorkKind.Events, (int)WorkPriority.Again, TimeSpan.Zero, TimeSpan.Zero, null,
                resetAttempts: false, token);
            await using var insert = connection.Command(
                $"""
                INSERT INTO inbox (member_id, app, id, name, payload, received_at, due_at, state, attempt)
                SELECT @id, @app, @event, @name, @payload,
                    (SELECT MAX(instant) FROM (SELECT {database.NowSql} AS instant
                        UNION ALL SELECT MAX(received_at) + 1 FROM inbox WHERE {IsPortal} AND state = {Waiting}) known),
                    0, {Waiting}, 0
                WHERE (SELECT COUNT(*) FROM inbox WHERE {IsPortal} AND state = {Waiting}) < {MaxWaitingOfPortal}
                ON CONFLICT (member_id, app, id) DO NOTHING
                """,
                [.. Key(received.Id), ("@event", received.EventId), ("@name", received.Name), ("@payload", payload)]);
            var isStored = await insert.ExecuteNonQueryAsync(token) > 0
                || (await connection.QueryAsync($"SELECT 1 FROM inbox WHERE {IsEvent}", static r => r.GetInt32(0), token,
                    [.. Key(received.Id), ("@event", received.EventId)])).Count > 0;
            if (isStored)
                await transaction.CommitAsync(token);
            return isStored;
        }, cancellationToken);
    }

    /// <summary>The portal's first waiting event; null where there is none. For whoever holds the portal's work.</summary>
    public async Task<InboxEvent?> NextAsync(PortalId id, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        var rows = await database.QueryAsync(
            $"""
            SELECT id, name, payload, received_at, attempt, due_at - {database.NowSql}
            FROM inbox
            WHERE {IsPortal} AND state = {Waiting}
            ORDER BY received_at, id LIMIT 1
            """,
            static r => (EventId: r.GetString(0), Name: r.GetString(1), Payload: r.TextOrNull(2), At: r.GetInt64(3), Attempt: r.GetInt32(4),
                DueIn: r.GetInt64(5)),
            cancellationToken, Key(id));
        if (rows is not [var row])
            return null;
        // What cannot be decrypted any more is empty: its handler decides, and it keeps nobody back for ever.
        var payload = row.Payload is null ? null : vault.Unprotect(id, "event", row.Payload);
        return new(id, row.EventId, row.Name, payload ?? "")
        {
            ReceivedAt = clock.FromDatabase(row.At),
            Attempt = row.Attempt,
            DueIn = TimeSpan.FromMilliseconds(Math.Max(0, row.DueIn)),
        };
    }

    /// <summary>Handled. Its id is remembered for a while, what it held is not.</summary>
    public Task CompleteAsync(InboxEvent handled, CancellationToken cancellationToken) =>
        UpdateAsync(handled, $"state = {Done}, payload = NULL", cancellationToken);

    /// <summary>Tried in vain: again after the pause. It stays the portal's first.</summary>
    public Task RetryAsync(InboxEvent tried, TimeSpan pause, CancellationToken cancellationToken) =>
        UpdateAsync(tried, $"attempt = attempt + 1, due_at = {database.NowSql} + {(long)pause.TotalMilliseconds}", cancellationToken);

    /// <summary>Given up; kept, and counted.</summary>
    public Task FailAsync(InboxEvent tried, CancellationToken cancellationToken) =>
        UpdateAsync(tried, $"state = {Failed}, attempt = attempt + 1", cancellationToken);

    public async Task<InboxCounts> CountAsync(CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync($"SELECT state, COUNT(*) FROM inbox WHERE state IN ({Waiting}, {Failed}) GROUP BY state",
            static r => (State: r.GetInt32(0), Count: r.GetInt64(1)), cancellationToken);
        return new(
            rows.Where(static r => r.State == Waiting).Sum(static r => r.Count),
            rows.Where(static r => r.State == Failed).Sum(static r => r.Count));
    }

    /// <summary>Forgets ids of events that were handled a day ago, and failed events after a month.</summary>
    public Task ForgetOldAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"""
            DELETE FROM inbox WHERE (state = {Done} AND received_at < {database.NowSql} - @day)
                OR (state = {Failed} AND received_at < {database.NowSql} - @month)
            """,
            cancellationToken, ("@day", (long)TimeSpan.FromDays(2).TotalMilliseconds),
            ("@month", (long)TimeSpan.FromDays(30).TotalMilliseconds));

    private Task<int> UpdateAsync(InboxEvent changed, string set, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"UPDATE inbox SET {set} WHERE {IsEvent}", cancellationToken, [.. Key(changed.Id), ("@event", changed.EventId)]);

    private static (string Name, object? Value)[] Key(PortalId id) => [("@id", id.MemberId), ("@app", id.App)];
}
