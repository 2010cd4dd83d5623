using System.Data.Common;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>Kinds of work that outlive a process.</summary>
internal static class WorkKind
{
    public const string Reconcile = "reconcile";
    public const string Uninstall = "uninstall";
    public const string Address = "address";

    /// <summary>Followed by a part of the token's hash: one portal can have told of several installations.</summary>
    public const string Install = "install:";
}

/// <summary>What comes before what, however long that has been waiting.</summary>
internal enum WorkPriority
{
    /// <summary>Somebody has asked for it, and it is tried for the first time.</summary>
    Asked = 0,

    /// <summary>It has been tried in vain, or goes on after a pause.</summary>
    Again = 1,

    /// <summary>Nobody has asked for it: there can be as much of it as there are portals.</summary>
    Unasked = 2,
}

/// <param name="Request">Grows whenever the work is asked for again; work that was asked for meanwhile is not done.</param>
internal sealed record WorkItem(PortalId Id, string Kind, int Attempt, long Request, string? Payload, DateTimeOffset CreatedAt);

/// <summary>Work accepted and not yet done, claimed by one instance at a time.</summary>
internal sealed class WorkStore(Database database, TimeProvider time)
{
    /// <summary>So long after a kill somebody else goes on. Whoever works renews it, also in a call that takes a minute.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    private readonly string _owner = Guid.NewGuid().ToString("n");

    /// <summary>Asks for work. What is waiting already comes at the earlier time; what is running just now runs once more.</summary>
    /// <param name="pauseIfThere">Where the work is waiting or running already: not before this pause, so that many requests make few runs.</param>
    /// <param name="resetAttempts">Whether earlier failures' pauses are void.</param>
    public Task RequestAsync(PortalId id, string kind, DateTimeOffset due, TimeSpan pauseIfThere, string? payload, bool resetAttempts, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, token) =>
        {
            await RequestAsync(connection, id, kind, due.ToUnixTimeMilliseconds(), pauseIfThere, payload, resetAttempts, Now, token);
            return true;
        }, cancellationToken);

    internal static async Task RequestAsync(
        DbConnection connection, PortalId id, string kind, long due, TimeSpan pauseIfThere, string? payload, bool resetAttempts, long now, CancellationToken cancellationToken)
    {
        await using var command = connection.Command(
            """
            INSERT INTO work (member_id, kind, priority, due_at, attempt, request, payload, created_at, lease_till) VALUES (@id, @kind, @asked, @due, 0, 1, @payload, @now, 0)
            ON CONFLICT (member_id, kind) DO UPDATE SET
                priority = @asked,
                due_at = CASE WHEN work.lease_till <= @now AND work.due_at < @again THEN work.due_at ELSE @again END,
                attempt = CASE WHEN @reset = 1 THEN 0 ELSE work.attempt END,
                request = work.request + 1,
                payload = COALESCE(@payload, work.payload)
            """,
            ("@id", id.MemberId), ("@kind", kind), ("@due", due), ("@again", Math.Max(due, now + (long)pauseIfThere.TotalMilliseconds)), ("@payload", payload), ("@now", now), ("@reset", resetAttempts ? 1 : 0),
            ("@asked", (int)WorkPriority.Asked));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Notes work that nobody asks for, where none of its kind is waiting.</summary>
    public Task RequestIfNoneAsync(PortalId id, string kind, DateTimeOffset due, CancellationToken cancellationToken) =>
        database.ExecuteAsync("INSERT INTO work (member_id, kind, priority, due_at, attempt, request, created_at, lease_till) VALUES (@id, @kind, @unasked, @due, 0, 1, @now, 0) ON CONFLICT (member_id, kind) DO NOTHING",
            cancellationToken, ("@id", id.MemberId), ("@kind", kind), ("@unasked", (int)WorkPriority.Unasked), ("@due", due.ToUnixTimeMilliseconds()), ("@now", Now));

    /// <summary>Keeps an installation for later, if there is room.</summary>
    public async Task<bool> KeepAsync(PortalId id, string kind, DateTimeOffset due, string payload, int most, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            """
            INSERT INTO work (member_id, kind, due_at, attempt, request, payload, created_at, lease_till)
            SELECT @id, @kind, @due, 0, 1, @payload, @now, 0 WHERE (SELECT COUNT(*) FROM work WHERE kind LIKE 'install:%') < @most
            ON CONFLICT (member_id, kind) DO NOTHING
            """,
            cancellationToken, ("@id", id.MemberId), ("@kind", kind), ("@due", due.ToUnixTimeMilliseconds()), ("@payload", payload), ("@now", Now), ("@most", most)) > 0
        || await ExistsAsync(id, kind, cancellationToken);

    public async Task<bool> ExistsAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        (await database.QueryAsync("SELECT 1 FROM work WHERE member_id = @id AND kind = @kind", static r => r.GetInt32(0), cancellationToken, ("@id", id.MemberId), ("@kind", kind))).Count > 0;

    public async Task<bool> IsDueOrRunningAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        (await database.QueryAsync("SELECT 1 FROM work WHERE member_id = @id AND kind = @kind AND (due_at <= @now OR lease_till > @now)", static r => r.GetInt32(0), cancellationToken,
            ("@id", id.MemberId), ("@kind", kind), ("@now", Now))).Count > 0;

    public Task HastenInstallationsAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync("UPDATE work SET due_at = @now WHERE kind LIKE 'install:%' AND due_at > @now", cancellationToken, ("@now", Now));

    /// <summary>Claims what is due, the oldest first. Two instances never hold the same row: the outer condition is asked again after waiting for the other.</summary>
    public async Task<List<WorkItem>> ClaimAsync(WorkPriority priority, int most, CancellationToken cancellationToken)
    {
        // Mostly there is nothing to do, and looking needs no write lock.
        var due = await database.QueryAsync("SELECT 1 FROM work WHERE priority = @priority AND due_at <= @now AND lease_till <= @now LIMIT 1", static r => r.GetInt32(0), cancellationToken,
            ("@priority", (int)priority), ("@now", Now));
        return due.Count == 0
            ? []
            : await database.QueryAsync(
                """
                UPDATE work SET lease_by = @owner, lease_till = @till
                WHERE lease_till <= @now AND due_at <= @now
                  AND (member_id, kind) IN (SELECT member_id, kind FROM work WHERE priority = @priority AND due_at <= @now AND lease_till <= @now ORDER BY due_at LIMIT @most)
                RETURNING member_id, kind, attempt, request, payload, created_at
                """,
                Read, cancellationToken, ("@priority", (int)priority), ("@owner", _owner), ("@till", Till), ("@now", Now), ("@most", most));
    }

    /// <summary>Claims one piece of work, due or not.</summary>
    public async Task<WorkItem?> ClaimAsync(PortalId id, string kind, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            "UPDATE work SET lease_by = @owner, lease_till = @till WHERE member_id = @id AND kind = @kind AND lease_till <= @now RETURNING member_id, kind, attempt, request, payload, created_at",
            Read, cancellationToken, ("@owner", _owner), ("@till", Till), ("@now", Now), ("@id", id.MemberId), ("@kind", kind));
        return rows is [var item] ? item : null;
    }

    public Task RenewAsync(WorkItem item, CancellationToken cancellationToken) =>
        database.ExecuteAsync("UPDATE work SET lease_till = @till WHERE member_id = @id AND kind = @kind AND lease_by = @owner", cancellationToken,
            ("@till", Till), ("@id", item.Id.MemberId), ("@kind", item.Kind), ("@owner", _owner));

    /// <summary>Done: gone, unless it was asked for again meanwhile.</summary>
    public Task CompleteAsync(WorkItem item, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, token) =>
        {
            await using var done = connection.Command("DELETE FROM work WHERE member_id = @id AND kind = @kind AND lease_by = @owner AND request = @request",
                ("@id", item.Id.MemberId), ("@kind", item.Kind), ("@owner", _owner), ("@request", item.Request));
            if (await done.ExecuteNonQueryAsync(token) > 0)
                return true;
            await using var again = connection.Command("UPDATE work SET lease_by = NULL, lease_till = 0, attempt = 0 WHERE member_id = @id AND kind = @kind AND lease_by = @owner",
                ("@id", item.Id.MemberId), ("@kind", item.Kind), ("@owner", _owner));
            await again.ExecuteNonQueryAsync(token);
            return false;
        }, cancellationToken);

    /// <summary>Not done: again after the pause, or when somebody has asked for it meanwhile.</summary>
    /// <param name="payload">What to go on with; null keeps what is there.</param>
    public Task PostponeAsync(WorkItem item, TimeSpan pause, string? payload, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            """
            UPDATE work SET lease_by = NULL, lease_till = 0,
                payload = CASE WHEN request = @request THEN COALESCE(@payload, payload) ELSE payload END,
                attempt = CASE WHEN request = @request THEN attempt + 1 ELSE attempt END,
                priority = CASE WHEN request = @request AND priority = @asked THEN @again ELSE priority END,
                due_at = CASE WHEN request = @request THEN @due ELSE due_at END
            WHERE member_id = @id AND kind = @kind AND lease_by = @owner
            """,
            cancellationToken, ("@due", Now + (long)pause.TotalMilliseconds), ("@payload", payload), ("@id", item.Id.MemberId), ("@kind", item.Kind), ("@owner", _owner), ("@request", item.Request),
            ("@asked", (int)WorkPriority.Asked), ("@again", (int)WorkPriority.Again));

    /// <summary>Keeps what an attempt has learnt while it goes on.</summary>
    public Task SavePayloadAsync(WorkItem item, string payload, CancellationToken cancellationToken) =>
        database.ExecuteAsync("UPDATE work SET payload = @payload WHERE member_id = @id AND kind = @kind", cancellationToken,
            ("@payload", payload), ("@id", item.Id.MemberId), ("@kind", item.Kind));

    private static WorkItem Read(DbDataReader row) =>
        new(new(row.GetString(0)), row.GetString(1), row.GetInt32(2), row.GetInt64(3), row.TextOrNull(4), PortalRows.Instant(row.GetInt64(5)));

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private long Till => Now + (long)Lease.TotalMilliseconds;
}
