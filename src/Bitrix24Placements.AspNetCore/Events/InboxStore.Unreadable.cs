using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Events;

/// <summary>Events whose keys are not there: perhaps the wrong certificate was configured. They keep nobody back.</summary>
internal sealed partial class InboxStore
{
    public Task PutAsideAsync(InboxEvent unreadable, CancellationToken cancellationToken) =>
        UpdateAsync(unreadable, $"state = {Unreadable}", cancellationToken);

    /// <summary>Those that can be read again wait again.</summary>
    public async Task TakeUpAsync(CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        while (await TakeUpPageAsync(cancellationToken) == Page)
        {
            // There may be more.
        }
    }

    private async Task<int> TakeUpPageAsync(CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            $"SELECT member_id, app, id, name, payload FROM inbox WHERE state = {Unreadable} ORDER BY received_at LIMIT {Page}",
            r => PortalSql.ReadId(r) is { } id ? new InboxEvent(id, r.GetString(2), r.GetString(3), r.TextOrNull(4) ?? "") : null,
            cancellationToken);
        var readable = rows.Where(e => vault.Unprotect(e.Id, "event", e.Payload) is not null).ToList();
        foreach (var known in readable)
            await database.ChangeAsync(async connection =>
            {
                await new WorkRequest(known.Id, WorkKind.Events) { Priority = WorkPriority.Again, KeepsAttempts = true }
                    .FileAsync(connection, database.Now);
                return await connection.ExecuteAsync($"UPDATE inbox SET state = {Waiting} WHERE {Is(known)}");
            }, cancellationToken);
        if (readable.Count > 0)
            signal.Wake();
        return readable.Count;
    }
}
