using System.Data.Common;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>Work accepted and not yet done, claimed by one instance at a time. Leases and due times go by the database's clock.</summary>
internal sealed class WorkStore(Database database, DatabaseClock clock, TimeProvider time)
{
    /// <summary>So long after a kill somebody else goes on. Whoever works renews it, also in a call that takes a minute.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    internal const string IsItem = "member_id = @id AND app = @app AND kind = @kind";
    private const string IsOwned = IsItem + " AND lease_by = @owner";
    private const string Columns = "member_id, app, kind, attempt, request, payload, created_at";

    private readonly string _owner = Guid.NewGuid().ToString("n");

    /// <inheritdoc cref="PortalWork.RequestAsync"/>
    /// <param name="due">By the process's clock.</param>
    public Task RequestAsync(PortalId id, string kind, DateTimeOffset due, TimeSpan pauseIfThere, string? payload, bool resetAttempts,
        CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, token) =>
        {
            await PortalWork.RequestAsync(
                connection, database.NowSql, id, kind, (int)WorkPriority.Asked, Delay(due), pauseIfThere, payload, resetAttempts, token);
            return true;
        }, cancellationToken);

    /// <summary>Notes work that nobody asks for, where none of its kind is waiting.</summary>
    public Task RequestIfNoneAsync(PortalId id, string kind, DateTimeOffset due, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"""
            INSERT INTO work (member_id, app, kind, priority, due_at, attempt, request, created_at, lease_till)
            VALUES (@id, @app, @kind, @unasked, {NowSql} + @delay, 0, 1, {NowSql}, 0)
            ON CONFLICT (member_id, app, kind) DO NOTHING
            """,
            cancellationToken, [.. Key(id, kind), ("@unasked", (int)WorkPriority.Unasked), ("@delay", (long)Delay(due).TotalMilliseconds)]);

    public Task<bool> ExistsAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        AnyAsync(IsItem, cancellationToken, Key(id, kind));

    /// <summary>What waits with the work; null where there is none.</summary>
    public async Task<string?> PayloadAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        (await database.QueryAsync(
            $"SELECT payload FROM work WHERE {IsItem}", static r => r.TextOrNull(0), cancellationToken, Key(id, kind))).FirstOrDefault();

    public Task<bool> IsDueOrRunningAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        AnyAsync($"{IsItem} AND (due_at <= {NowSql} OR lease_till > {NowSql})", cancellationToken, Key(id, kind));

    public Task<bool> IsRunningAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        AnyAsync($"{IsItem} AND lease_till > {NowSql}", cancellationToken, Key(id, kind));

    /// <summary>Claims what is due, the oldest first. Two instances never hold the same row: the outer condition is asked again
    /// after waiting for the other.</summary>
    public async Task<List<WorkItem>> ClaimAsync(WorkPriority priority, int limit, CancellationToken cancellationToken)
    {
        // Mostly there is nothing to do, and looking needs no write lock.
        var isDue = $"priority = @priority AND due_at <= {NowSql} AND lease_till <= {NowSql}";
        return !await AnyAsync(isDue, cancellationToken, ("@priority", (int)priority))
            ? []
            : await ClaimAsync(
                $"""
                UPDATE work SET lease_by = @owner, lease_till = {TillSql}
                WHERE lease_till <= {NowSql} AND due_at <= {NowSql}
                  AND (member_id, app, kind) IN (SELECT member_id, app, kind FROM work WHERE {isDue} ORDER BY due_at LIMIT @limit)
                RETURNING {Columns}
                """,
                cancellationToken, ("@priority", (int)priority), ("@limit", limit));
    }

    /// <summary>Claims one piece of work, due or not.</summary>
    public async Task<WorkItem?> ClaimAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        (await ClaimAsync(
            $"UPDATE work SET lease_by = @owner, lease_till = {TillSql} WHERE {IsItem} AND lease_till <= {NowSql} RETURNING {Columns}",
            cancellationToken, Key(id, kind))).FirstOrDefault();

    public Task RenewAsync(WorkItem item, CancellationToken cancellationToken) =>
        database.ExecuteAsync($"UPDATE work SET lease_till = {TillSql} WHERE {IsOwned}", cancellationToken, Owned(item));

    /// <summary>Done: gone, unless it was asked for again meanwhile. A kept installation that is finished was only hastened.</summary>
    public Task CompleteAsync(WorkItem item, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, token) =>
        {
            await using var done = connection.Command(
                $"DELETE FROM work WHERE {IsOwned} AND (request = @request OR vouched IS NOT NULL)",
                [.. Owned(item), ("@request", item.Request)]);
            if (await done.ExecuteNonQueryAsync(token) > 0)
                return true;
            await using var again =
                connection.Command($"UPDATE work SET lease_by = NULL, lease_till = 0, attempt = 0 WHERE {IsOwned}", Owned(item));
            await again.ExecuteNonQueryAsync(token);
            return false;
        }, cancellationToken);

    /// <summary>Not done: again after the pause, or when somebody has asked for it meanwhile.</summary>
    /// <param name="payload">What to go on with; null keeps what is there.</param>
    public Task PostponeAsync(WorkItem item, TimeSpan pause, string? payload, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"""
            UPDATE work SET lease_by = NULL, lease_till = 0,
                payload = CASE WHEN request = @request THEN COALESCE(@payload, payload) ELSE payload END,
                attempt = CASE WHEN request = @request THEN attempt + 1 ELSE attempt END,
                priority = CASE WHEN request = @request AND priority = @asked THEN @again ELSE priority END,
                due_at = CASE WHEN request = @request THEN {NowSql} + @pause ELSE due_at END
            WHERE {IsOwned}
            """,
            cancellationToken,
            [
                .. Owned(item), ("@pause", (long)pause.TotalMilliseconds), ("@payload", payload), ("@request", item.Request),
                ("@asked", (int)WorkPriority.Asked), ("@again", (int)WorkPriority.Again),
            ]);

    /// <summary>Keeps what an attempt has learnt while it goes on.</summary>
    public Task SavePayloadAsync(WorkItem item, string payload, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"UPDATE work SET payload = @payload WHERE {IsItem}", cancellationToken, [.. Key(item.Id, item.Kind), ("@payload", payload)]);

    private async Task<List<WorkItem>> ClaimAsync(
        string sql, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters)
    {
        var rows = await database.QueryAsync(sql, Read, cancellationToken, [.. parameters, ("@owner", _owner)]);
        return [.. rows.OfType<WorkItem>()];
    }

    private async Task<bool> AnyAsync(
        string condition, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters) =>
        (await database.QueryAsync(
            $"SELECT 1 FROM work WHERE {condition} LIMIT 1", static r => r.GetInt32(0), cancellationToken, parameters)).Count > 0;

    /// <summary>A row whose member_id is none is nobody's work.</summary>
    private WorkItem? Read(DbDataReader row) =>
        PortalId.IsMemberId(row.GetString(0))
            ? new(new(row.GetString(0), row.GetString(1)), row.GetString(2), row.GetInt32(3), row.GetInt64(4), row.TextOrNull(5),
                clock.FromDatabase(row.GetInt64(6)))
            : null;

    private TimeSpan Delay(DateTimeOffset due) => due - time.GetUtcNow();

    internal static (string Name, object? Value)[] Key(PortalId id, string kind) =>
        [("@id", id.MemberId), ("@app", id.App), ("@kind", kind)];

    private (string Name, object? Value)[] Owned(WorkItem item) => [.. Key(item.Id, item.Kind), ("@owner", _owner)];

    private string NowSql => database.NowSql;

    private string TillSql => $"{database.NowSql} + {(long)Lease.TotalMilliseconds}";
}
