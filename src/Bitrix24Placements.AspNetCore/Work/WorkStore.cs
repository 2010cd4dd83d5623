using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>Work that is accepted and not yet done, claimed by one instance at a time, by the database's clock.</summary>
internal sealed class WorkStore(Database database, DatabaseClock clock, WorkSignal signal)
{
    /// <summary>So long after a kill another goes on.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    /// <summary>One of a clock that was ahead and was put right is none.</summary>
    private static readonly TimeSpan MaxLease = TimeSpan.FromMinutes(3);

    /// <summary>No work waits longer.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromDays(2);

    private readonly string _owner = Guid.NewGuid().ToString("n");

    private Sql Now => database.Now;

    private Sql IsLeased => $"(lease_till > {Now} AND lease_till <= {Now} + {MaxLease})";

    private Sql IsFree => $"NOT {IsLeased}";

    private static Sql NoLease => "lease_by = NULL, lease_till = 0";

    public async Task RequestAsync(WorkRequest request, CancellationToken cancellationToken)
    {
        await database.RunAsync(connection => request.FileAsync(connection, Now), cancellationToken);
        signal.Wake();
    }

    public Task RequestIfNoneAsync(PortalId id, string kind, TimeSpan delay, CancellationToken cancellationToken) =>
        RequestAsync(new(id, kind) { Priority = WorkPriority.Unasked, Delay = delay, OnlyIfNone = true }, cancellationToken);

    public Task<bool> IsDueOrRunningAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        AnyAsync($"{Is(id, kind)} AND (due_at <= {Now} OR {IsLeased})", cancellationToken);

    public Task<bool> IsRunningAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        AnyAsync($"{Is(id, kind)} AND {IsLeased}", cancellationToken);

    /// <summary>The oldest first. No two instances hold a row: the outer condition is asked again after waiting. A row that a stopped
    /// instance has locked keeps no other work waiting.</summary>
    public async Task<List<WorkItem>> ClaimAsync(WorkPriority priority, int limit, CancellationToken cancellationToken)
    {
        Sql isDue = $"due_at <= {Now} AND {IsFree}";
        // Mostly there is nothing, and looking needs no write lock.
        return !await AnyAsync($"priority = {priority} AND {isDue}", cancellationToken) ? [] : await ClaimAsync(
            $"""
            {isDue} AND (member_id, app, kind) IN (
                WITH first AS (SELECT member_id, app, kind FROM work WHERE priority = {priority} AND {isDue}
                    ORDER BY due_at LIMIT {limit}{database.ForUpdateOfUnlocked})
                SELECT member_id, app, kind FROM first)
            """, cancellationToken);
    }

    public async Task<WorkItem?> ClaimAsync(PortalId id, string kind, CancellationToken cancellationToken) =>
        (await ClaimAsync($"{Is(id, kind)} AND {IsFree}", cancellationToken)).FirstOrDefault();

    /// <returns>False where another has taken it over. What was deleted is in nobody's way.</returns>
    public async Task<bool> RenewAsync(WorkItem item, CancellationToken cancellationToken) =>
        await database.ExecuteAsync($"UPDATE work SET lease_till = {Now} + {Lease} WHERE {IsOwned(item)}", cancellationToken) > 0
        || !await AnyAsync($"{Is(item)} AND lease_by <> {_owner}", cancellationToken);

    /// <summary>Whether nobody else may have begun with it.</summary>
    public Task<bool> IsHeldAsync(WorkItem item, CancellationToken cancellationToken) =>
        AnyAsync($"{IsOwned(item)} AND lease_till > {Now}", cancellationToken);

    /// <summary>Gone, unless it was asked for again meanwhile. A kept installation that is finished was only hastened, or has other
    /// tokens by now.</summary>
    public Task CompleteAsync(WorkItem item, CancellationToken cancellationToken) =>
        database.RunAsync(async connection =>
        {
            Sql isDone = $"request = {item.Request} OR (vouched IS NOT NULL AND payload = {item.Payload})";
            var done = await connection.ExecuteAsync($"DELETE FROM work WHERE {IsOwned(item)} AND ({isDone})");
            if (done == 0)
                await connection.ExecuteAsync($"UPDATE work SET {NoLease}, attempt = 0 WHERE {IsOwned(item)}");
            return done;
        }, cancellationToken);

    /// <summary>Again after the pause, or earlier if somebody has asked for that meanwhile.</summary>
    public Task PostponeAsync(WorkItem item, TimeSpan pause, string? payload, CancellationToken cancellationToken)
    {
        Sql isUnchanged = $"request = {item.Request}";
        return database.ExecuteAsync(
            $"""
            UPDATE work SET {NoLease},
                payload = CASE WHEN {isUnchanged} THEN COALESCE({payload}, payload) ELSE payload END,
                attempt = CASE WHEN {isUnchanged} THEN attempt + 1 ELSE attempt END,
                priority = CASE WHEN {isUnchanged} AND priority = {WorkPriority.Asked} THEN {WorkPriority.Again} ELSE priority END,
                due_at = CASE WHEN {isUnchanged} OR due_at > {Now} + {pause} THEN {Now} + {pause} ELSE due_at END
            WHERE {IsOwned(item)}
            """, cancellationToken);
    }

    /// <summary>What a clock that was ahead has put off is due.</summary>
    public Task PutRightAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync($"UPDATE work SET due_at = {Now} WHERE due_at > {Now} + {MaxPause}", cancellationToken);

    internal static Sql Is(WorkItem item) => Is(item.Id, item.Kind);

    internal static Sql Is(PortalId id, string kind) => $"{PortalSql.Is(id)} AND kind = {kind}";

    private Task<List<WorkItem>> ClaimAsync(Sql condition, CancellationToken cancellationToken) => database.RunAsync(
        connection => connection.QueryAsync(
            $"""
            UPDATE work SET lease_by = {_owner}, lease_till = {Now} + {Lease} WHERE {condition}
            RETURNING member_id, app, kind, attempt, request, payload, created_at
            """, Read), cancellationToken);

    private Task<bool> AnyAsync(Sql condition, CancellationToken cancellationToken) =>
        database.AnyAsync($"SELECT 1 FROM work WHERE {condition} LIMIT 1", cancellationToken);

    // Nobody's work where the member_id is none.
    private WorkItem? Read(DbDataReader row) => PortalSql.ReadId(row) is { } id
        ? new(id, row.GetString(2), row.GetInt32(3), row.GetInt64(4), row.TextOrNull(5), clock.FromDatabase(row.GetInt64(6)))
        : null;

    private Sql IsOwned(WorkItem item) => $"{Is(item)} AND lease_by = {_owner}";
}
