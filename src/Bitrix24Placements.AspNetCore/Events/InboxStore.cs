using System.Threading.RateLimiting;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Events;

/// <summary>A portal's events are one piece of work: no two are handled at once.</summary>
internal sealed partial class InboxStore(
    Database database, DatabaseClock clock, TokenVault vault, TokenKeys keys, WorkSignal signal, EventHandlers handlers) : IDisposable
{
    /// <summary>A portal that floods fills its own share.</summary>
    public const int MaxWaitingOfPortal = 2_000;

    public const int MaxBytesOfPortal = 32 * 1024 * 1024;

    /// <summary>By their ids a repeated event is known.</summary>
    public const int MaxHandledOfPortal = 10_000;

    /// <summary>No event waits longer for its next attempt: later is the time of a clock that was ahead.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromHours(2);

    private const int Page = 1000;

    /// <summary>In milliseconds: more are not told one after the other in one.</summary>
    private const int Moment = 5;

    private static readonly TimeSpan MaxWaitForTurn = TimeSpan.FromSeconds(5);

    /// <summary>One of a portal at a time: others' writes are to wait for no more of one that floods. The database would have them take
    /// turns, too.</summary>
    private readonly PartitionedRateLimiter<PortalId> _turns = PartitionedRateLimiter.Create<PortalId, PortalId>(id =>
        RateLimitPartition.GetConcurrencyLimiter(id, _ => new() { PermitLimit = 1, QueueLimit = int.MaxValue }));

    // It stays, so that it is known: each update of that installation brings it again.
    private static Sql IsNoInstallation => $"(name <> {StoredEvent.Installed} OR state <> {Done})";

    private const int Waiting = 0;
    private const int Failed = 1;
    private const int Done = 2;
    private const int Unreadable = 3;

    /// <summary>True for a known one, too; false where too many wait. The service's own, two an installation, always have room.</summary>
    public async Task<bool> AddAsync(InboxEvent received, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        using var turn = await TakeTurnAsync(received.Id, cancellationToken);
        var isThere = await database.ChangeAsync(connection => AddAsync(connection, received), cancellationToken);
        if (isThere)
            signal.Wake();
        return isThere;
    }

    private async Task<RateLimitLease> TakeTurnAsync(PortalId id, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(MaxWaitForTurn);
        try
        {
            return await _turns.TakeAsync(id, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("Events of this portal that came before are not stored yet.");
        }
    }

    /// <param name="receivedAt">Of an event that comes from the spool: those received after it may be there already.</param>
    public Task<bool> AddAsync(
        PortalId id, StoredEvent stored, DateTimeOffset? receivedAt, CancellationToken cancellationToken) =>
        AddAsync(EventOf(id, stored) with { ReceivedAt = receivedAt }, cancellationToken);

    public Task InstalledAsync(Portal portal, DateTimeOffset at, CancellationToken cancellationToken) =>
        OwnOf(portal, StoredEvent.Installed, false, at) is { } told ? AddAsync(told, cancellationToken) : Task.CompletedTask;

    /// <summary>In the transaction of the uninstallation, which has read the keys.</summary>
    public Task UninstalledAsync(Connection connection, Portal portal, bool clean, DateTimeOffset at) =>
        OwnOf(portal, StoredEvent.Uninstalled, clean, at) is { } told ? AddAsync(connection, told) : Task.CompletedTask;

    public async Task<InboxEvent?> NextAsync(PortalId id, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        var rows = await database.QueryAsync(
            $"""
            SELECT id, name, payload, attempt, CASE WHEN due_at <= {database.Now} + {MaxPause} THEN due_at - {database.Now} ELSE 0 END,
                {database.Now} - COALESCE(tried_at, {database.Now}), received_at FROM inbox
            WHERE {PortalSql.Is(id)} AND state = {Waiting}
            ORDER BY received_at, id LIMIT 1
            """,
            r => new InboxEvent(id, r.GetString(0), r.GetString(1), r.TextOrNull(2) ?? "")
            {
                Attempt = r.GetInt32(3),
                DueIn = TimeSpan.FromMilliseconds(Math.Max(0, r.GetInt64(4))),
                TriedFor = TimeSpan.FromMilliseconds(r.GetInt64(5)),
                ReceivedAt = clock.FromDatabase(r.GetInt64(6)),
            }, cancellationToken);
        return rows is [var next] ? next with { Payload = vault.Unprotect(id, "event", next.Payload) ?? "" } : null;
    }

    public Task CompleteAsync(InboxEvent handled, CancellationToken cancellationToken) =>
        UpdateAsync(handled, $"state = {Done}, payload = NULL", cancellationToken);

    public Task RetryAsync(InboxEvent tried, TimeSpan pause, CancellationToken cancellationToken) =>
        UpdateAsync(tried,
            $"""
            attempt = attempt + 1, due_at = {database.Now} + {pause},
            tried_at = CASE WHEN tried_at <= {database.Now} THEN tried_at ELSE {database.Now} END
            """, cancellationToken);

    public Task FailAsync(InboxEvent tried, CancellationToken cancellationToken) =>
        UpdateAsync(tried, $"state = {Failed}, attempt = attempt + 1", cancellationToken);

    public async Task<InboxCounts> CountAsync(CancellationToken cancellationToken) => (await database.ReadLongAsync(
        connection => connection.QueryAsync(
            $"""
            SELECT COUNT(*) FILTER (WHERE state = {Waiting}), COUNT(*) FILTER (WHERE state = {Failed})
            FROM inbox WHERE state IN ({Waiting}, {Failed})
            """,
            r => new InboxCounts(r.GetInt64(0), r.GetInt64(1))), cancellationToken))[0];

    /// <summary>Handled ones after two days, others after a month. In pages: others write in between.</summary>
    public async Task ForgetOldAsync(CancellationToken cancellationToken)
    {
        foreach (var (state, days) in new[] { (Done, 2), (Failed, 30), (Unreadable, 30) })
        {
            Sql isOld = $"state = {state} AND received_at < {database.Now} - {TimeSpan.FromDays(days)} AND {IsNoInstallation}";
            Sql page = $"SELECT member_id, app, id FROM inbox WHERE {isOld} LIMIT {Page}";
            while (await database.ExecuteAsync($"DELETE FROM inbox WHERE (member_id, app, id) IN ({page})", cancellationToken) == Page)
            {
                // There may be more.
            }
        }
    }

    /// <summary>What a portal that floods has had handled fills no more than its own share, too: the newest stay.</summary>
    public Task ForgetHandledAsync(PortalId id, CancellationToken cancellationToken)
    {
        Sql isHandled = $"{PortalSql.Is(id)} AND state = {Done} AND {IsNoInstallation}";
        return database.ExecuteAsync(
            $"""
            DELETE FROM inbox WHERE {isHandled} AND received_at <= (
                SELECT received_at FROM inbox WHERE {isHandled} ORDER BY received_at DESC LIMIT 1 OFFSET {MaxHandledOfPortal})
            """, cancellationToken);
    }

    private async Task<bool> AddAsync(Connection connection, InboxEvent received)
    {
        var (id, now) = (received.Id, database.Now);
        var payload = vault.Protect(id, "event", received.Payload);
        Sql isWaiting = $"{PortalSql.Is(id)} AND state = {Waiting}";
        Sql receivedAt = received.ReceivedAt is { } instant ? ReceivedAt(id, clock.ToDatabase(instant)) :
            $"""
            (SELECT MAX(instant) FROM (SELECT {now} AS instant
                UNION ALL SELECT MAX(received_at) + 1 FROM inbox WHERE {isWaiting}) known)
            """;
        // Its row lets writers of one portal take turns: their order is one.
        await new WorkRequest(id, WorkKind.Events) { Priority = WorkPriority.Again, KeepsAttempts = true }.FileAsync(connection, now);
        return await connection.ExecuteAsync(
            $"""
            INSERT INTO inbox (member_id, app, id, name, payload, bytes, received_at, due_at, state, attempt)
            SELECT {id.MemberId}, {id.App}, {received.EventId}, {received.Name}, {payload}, {payload.Length},
                {receivedAt}, 0, {Waiting}, 0
            WHERE {received.Name is StoredEvent.Installed or StoredEvent.Uninstalled} = 1
                OR (SELECT COUNT(*) < {MaxWaitingOfPortal} AND COALESCE(SUM(bytes), 0) < {MaxBytesOfPortal} FROM inbox WHERE {isWaiting})
            ON CONFLICT (member_id, app, id) DO NOTHING
            """) > 0
            || await connection.AnyAsync($"SELECT 1 FROM inbox WHERE {Is(received)}");
    }

    // After those of the same moment.
    private static Sql ReceivedAt(PortalId id, long instant) =>
        $"""
        (SELECT COALESCE(MAX(received_at) + 1, {instant}) FROM inbox
            WHERE {PortalSql.Is(id)} AND received_at BETWEEN {instant} AND {instant + Moment})
        """;

    // Null where nobody wants to hear of it.
    private InboxEvent? OwnOf(Portal portal, string name, bool clean, DateTimeOffset at)
    {
        if (handlers.Find(name) is null)
            return null;
        var address = new KnownPortal(portal).Address;
        return EventOf(portal.Id,
            new($"{name}-{portal.Epoch}", name, address.Domain, address.Protocol, null, at.ToUnixTimeSeconds(), Clean: clean));
    }

    private static InboxEvent EventOf(PortalId id, StoredEvent stored) => new(id, stored.Id, stored.Name, stored.Serialize());

    private Task<int> UpdateAsync(InboxEvent changed, Sql set, CancellationToken cancellationToken) =>
        database.ExecuteAsync($"UPDATE inbox SET {set} WHERE {Is(changed)}", cancellationToken);

    public void Dispose() => _turns.Dispose();

    private static Sql Is(InboxEvent known) => $"{PortalSql.Is(known.Id)} AND id = {known.EventId}";
}
