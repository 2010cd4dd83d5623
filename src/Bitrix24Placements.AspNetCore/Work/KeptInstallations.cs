using System.Security.Cryptography;
using System.Text;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>Installations that cannot be confirmed yet: the app is not known, or the OAuth server does not answer. Rows of
/// <c>work</c>, bounded in all, by portal and by address.</summary>
internal sealed class KeptInstallations(Database database, DatabaseClock clock)
{
    public const int Max = 100;
    private const int MaxOfPortal = 3;
    private const int MaxOfAddress = 10;

    /// <summary>Keeps one more. Where there are too many, those give way that nobody has vouched for; of one portal the older
    /// ones. False: it was itself the one to give way.</summary>
    /// <param name="address">Who sent it: takes that address's share.</param>
    public Task<bool> KeepAsync(
        PortalId id, string kind, TimeSpan delay, string payload, string? address, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, token) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(token);
            await using var insert = connection.Command(
                $"""
                INSERT INTO work (member_id, app, kind, due_at, attempt, request, payload, created_at, lease_till, vouched, address)
                VALUES (@id, @app, @kind, {database.NowSql} + @delay, 0, 1, @payload,
                    (SELECT MAX(instant) FROM (SELECT {database.NowSql} AS instant
                        UNION ALL SELECT MAX(created_at) + 1 FROM work WHERE vouched IS NOT NULL) known),
                    0, 0, @address)
                ON CONFLICT (member_id, app, kind) DO NOTHING
                """,
                [.. WorkStore.Key(id, kind), ("@delay", (long)delay.TotalMilliseconds), ("@payload", payload),
                    ("@address", address is null ? null : Short(address))]);
            await insert.ExecuteNonQueryAsync(token);
            foreach (var surplus in (string[])[SurplusOfPortals, SurplusOfAddresses, Surplus])
            {
                await using var trim = connection.Command(surplus);
                await trim.ExecuteNonQueryAsync(token);
            }

            var stays = await connection.QueryAsync(
                $"SELECT 1 FROM work WHERE {WorkStore.IsItem}", static r => r.GetInt32(0), token, WorkStore.Key(id, kind));
            await transaction.CommitAsync(token);
            return stays.Count > 0;
        }, cancellationToken);

    /// <summary>The OAuth server has confirmed its token: it is a real one, of this app.</summary>
    public Task VouchAsync(WorkItem item, string clientId, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"UPDATE work SET vouched = 1, client_id = @client WHERE {WorkStore.IsItem} AND vouched IS NOT NULL", cancellationToken,
            [.. WorkStore.Key(item.Id, item.Kind), ("@client", clientId)]);

    /// <summary>All of them are tried now: an app was added. One that is being looked at may not know of it, and is tried again.</summary>
    public Task HastenAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"UPDATE work SET due_at = {database.NowSql}, request = request + 1 WHERE vouched IS NOT NULL", cancellationToken);

    /// <summary>The oldest first.</summary>
    public Task<List<KeptInstallation>> ListAsync(CancellationToken cancellationToken) =>
        database.QueryAsync("SELECT member_id, created_at, client_id FROM work WHERE vouched IS NOT NULL ORDER BY created_at",
            r => new KeptInstallation(r.GetString(0), clock.FromDatabase(r.GetInt64(1)), r.TextOrNull(2)), cancellationToken);

    private static readonly string SurplusOfPortals = Delete("member_id", "vouched DESC, created_at DESC", "", MaxOfPortal);

    private static readonly string SurplusOfAddresses =
        Delete("address", "vouched DESC, created_at", " AND address IS NOT NULL", MaxOfAddress);

    private static readonly string Surplus = Delete("1", "vouched DESC, created_at", "", Max);

    private static string Delete(string share, string order, string condition, int max) =>
        $"""
        DELETE FROM work WHERE (member_id, app, kind) IN (
            SELECT member_id, app, kind FROM (
                SELECT member_id, app, kind, ROW_NUMBER() OVER (PARTITION BY {share} ORDER BY {order}, kind) AS place
                FROM work WHERE vouched IS NOT NULL{condition}) placed
            WHERE place > {max})
        """;

    private static string Short(string address) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(address)).AsSpan(0, 8));
}

/// <param name="ClientId">Of the app that it is for, where the OAuth server has told it.</param>
internal sealed record KeptInstallation(string MemberId, DateTimeOffset KeptAt, string? ClientId);
