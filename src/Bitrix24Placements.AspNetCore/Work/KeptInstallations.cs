using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>Installations that cannot be confirmed yet: rows of <c>work</c>, bounded by portal, by address and in all.</summary>
internal sealed class KeptInstallations(Database database, DatabaseClock clock)
{
    public const int Max = 100;

    /// <summary>The others stand with those who cannot be asked about yet: the rest is theirs.</summary>
    public const int MaxVouchedFor = 75;

    /// <summary>Of the unvouched. Half of all, as Bitrix24's cloud tells of all its portals from a few addresses.</summary>
    public const int MaxOfAddress = 50;

    private static readonly Sql[] Surplus =
    [
        // Anybody may tell of a portal: until one is vouched for, each address has room of its own.
        SurplusOf("member_id, CASE WHEN vouched = 0 THEN address END", "vouched DESC", "created_at DESC", "vouched IS NOT NULL", 3),
        SurplusOf("address", "vouched", "created_at", "vouched = 0 AND address IS NOT NULL", MaxOfAddress),
        SurplusOf("1", "vouched DESC", "client_id IS NOT NULL, created_at", "vouched IS NOT NULL", Max),
    ];

    /// <summary>Of too many, those give way that nobody has vouched for. False: it was the one.</summary>
    public Task<bool> KeepAsync(
        PortalId id, string kind, TimeSpan delay, string payload, string address, CancellationToken cancellationToken) =>
        database.ChangeAsync(async connection =>
        {
            await connection.ExecuteAsync(
                $"""
                INSERT INTO work (member_id, app, kind, due_at, attempt, request, payload, created_at, lease_till, vouched, address)
                VALUES ({id.MemberId}, {id.App}, {kind}, {database.Now} + {delay}, 0, {database.Now}, {payload},
                    (SELECT MAX(instant) FROM (SELECT {database.Now} AS instant
                        UNION ALL SELECT MAX(created_at) + 1 FROM work WHERE vouched IS NOT NULL) known),
                    0, 0, {(address.Length == 0 ? null : ShortHash.Of(address))})
                ON CONFLICT (member_id, app, kind) DO NOTHING
                """);
            await connection.ExecuteAsync(
                $"""
                UPDATE work SET vouched = 0 WHERE vouched = 1 AND (member_id, app, kind) NOT IN (
                    SELECT member_id, app, kind FROM work WHERE vouched = 1 ORDER BY created_at, kind LIMIT {MaxVouchedFor})
                """);
            foreach (var surplus in Surplus)
                await connection.ExecuteAsync(surplus);
            return await connection.AnyAsync($"SELECT 1 FROM work WHERE {WorkStore.Is(id, kind)}");
        }, cancellationToken);

    public Task NoteAsync(WorkItem item, string clientId, bool isVouchedFor, CancellationToken cancellationToken) => database.ExecuteAsync(
        $"""
        UPDATE work SET {(Sql)(isVouchedFor ? "vouched = 1, " : "")}client_id = {clientId}
        WHERE {WorkStore.Is(item)} AND vouched IS NOT NULL
        """, cancellationToken);

    /// <summary>Null: nobody has told it yet.</summary>
    public async Task<string?> ClientIdOfAsync(WorkItem item, CancellationToken cancellationToken) => (await database.QueryAsync(
        $"SELECT client_id FROM work WHERE {WorkStore.Is(item)} AND client_id IS NOT NULL", r => r.GetString(0), cancellationToken))
        .FirstOrDefault();

    /// <summary>What waits of this portal.</summary>
    public Task<List<string>> PayloadsAsync(string memberId, CancellationToken cancellationToken) => database.QueryAsync(
        $"SELECT payload FROM work WHERE member_id = {memberId} AND vouched IS NOT NULL", r => r.TextOrNull(0) ?? "", cancellationToken);

    /// <summary>It was refreshed, and the tokens before are void: whoever has found that out meanwhile and taken the row off did not know
    /// of these. A row that has others by now keeps them.</summary>
    public Task SaveAsync(RenewedInstallation renewed, CancellationToken cancellationToken) => database.ExecuteAsync(
        $"""
        INSERT INTO work (member_id, app, kind, due_at, attempt, request, payload, created_at, lease_till, vouched)
        VALUES ({renewed.MemberId}, {renewed.App}, {renewed.Kind}, {database.Now}, 0, {database.Now}, {renewed.Payload},
            {clock.ToDatabase(renewed.KeptAt)}, 0, 0)
        ON CONFLICT (member_id, app, kind) DO UPDATE SET
            payload = excluded.payload, due_at = excluded.due_at, request = work.request + 1
        WHERE work.payload = {renewed.Before}
        """, cancellationToken);

    /// <summary>An app was added. What is being looked at may not know of it, and is tried again.</summary>
    public Task HastenAsync(CancellationToken cancellationToken) => database.ExecuteAsync(
        $"UPDATE work SET due_at = {database.Now}, request = request + 1 WHERE vouched IS NOT NULL", cancellationToken);

    public Task<List<KeptInstallation>> ListAsync(CancellationToken cancellationToken) =>
        database.QueryAsync("SELECT member_id, created_at, client_id FROM work WHERE vouched IS NOT NULL ORDER BY created_at",
            r => new KeptInstallation(r.GetString(0), clock.FromDatabase(r.GetInt64(1)), r.TextOrNull(2)), cancellationToken);

    // Addresses take turns: who has sent much keeps nobody out who has sent little.
    private static Sql SurplusOf(Sql share, Sql rank, Sql age, Sql condition, int max) =>
        $"""
        DELETE FROM work WHERE (member_id, app, kind) IN (
            SELECT member_id, app, kind FROM (
                SELECT member_id, app, kind, ROW_NUMBER() OVER (PARTITION BY {share} ORDER BY {rank}, turn, {age}, kind) AS place
                FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {share}, vouched, address ORDER BY {age}, kind) AS turn
                    FROM work WHERE {condition}) kept) placed
            WHERE place > {max})
        """;
}

internal sealed record KeptInstallation(string MemberId, DateTimeOffset KeptAt, string? ClientId);

/// <param name="Before">The payload that it was renewed from.</param>
internal sealed record RenewedInstallation(
    string MemberId, string App, string Kind, DateTimeOffset KeptAt, string Before, string Payload);
