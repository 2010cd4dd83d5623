using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

internal sealed partial class PortalStore
{
    /// <summary>Files a notice of an uninstallation. False where that installation is gone already, or another one has followed.</summary>
    /// <param name="merge">With the notice that waits, if any: whoever tells at the same time waits for his turn at the row.</param>
    public Task<bool> NoteUninstallationAsync(
        PortalId id, long epoch, WorkRequest request, Func<string?, string> merge, CancellationToken cancellationToken) =>
        database.ChangeAsync(async connection =>
        {
            Sql notice = $"{Is(id)} AND kind = {request.Kind}";
            await request.FileAsync(connection, database.Now);
            var waiting = await connection.QueryAsync($"SELECT payload FROM work WHERE {notice}", r => r.TextOrNull(0));
            // Otherwise the row has no notice in it, and is done with at once.
            return await connection.ExecuteAsync(
                $"""
                UPDATE work SET payload = {merge(waiting.FirstOrDefault())}, created_at = {database.Now} WHERE {notice} AND EXISTS (
                    SELECT 1 FROM portals WHERE {Is(id)} AND epoch = {epoch} AND state <> {PortalState.Uninstalled})
                """) > 0;
        }, cancellationToken);

    /// <summary>Only where nobody has brought other tokens than those that were asked about, or the OAuth server has refused them,
    /// too.</summary>
    /// <param name="isClean">By the notice as it is by now: another one may have come while somebody was asked.</param>
    /// <param name="tell">In the same transaction: the app is told of nothing else, and of this for certain.</param>
    public Task<bool> UninstallAsync(Portal asked, Func<string?, bool> isClean,
        Func<Connection, bool, Task> tell, CancellationToken cancellationToken) =>
        ChangeAsync(asked.Id, async connection =>
        {
            var id = asked.Id;
            var uninstalled = await connection.ExecuteAsync(
                $"""
                UPDATE portals SET state = {PortalState.Uninstalled}, tokens = NULL, reserve_tokens = NULL,
                    tokens_state = {TokenState.None}, tokens_version = tokens_version + 1, {NoLease},
                    application_token_hash = NULL, replaced_token_hash = NULL, declaration = '', placements = NULL, delete_at = NULL
                WHERE {Is(id)} AND epoch = {asked.Epoch}
                    AND (tokens_version = {asked.TokensVersion} OR tokens_state = {TokenState.Dead})
                """);
            if (uninstalled == 0)
                return false;
            // Its events are still handled, that of the uninstallation too.
            var ended = await connection.QueryAsync(
                $"DELETE FROM work WHERE {Is(id)} AND kind <> {WorkKind.Events} AND vouched IS NULL RETURNING kind, payload",
                r => (Kind: r.GetString(0), Payload: r.TextOrNull(1)));
            var clean = isClean(ended.Find(w => w.Kind == WorkKind.Uninstall).Payload);
            if (clean)
                await connection.ExecuteAsync($"UPDATE portals SET delete_at = {database.Now} + {DeleteAfter} WHERE {Is(id)}");
            await tell(connection, clean);
            return true;
        }, cancellationToken);
}
