using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

internal sealed partial class PortalStore
{
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
                    application_token_hash = NULL, declaration = '', placements = NULL, delete_at = NULL
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
