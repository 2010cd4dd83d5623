using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Work that is filed in the same transaction as what it belongs to: whoever is killed afterwards finds both.</summary>
internal static class PortalWork
{
    public const string Reconcile = "reconcile";
    public const string Uninstall = "uninstall";

    /// <summary>Outlives an uninstallation: what was accepted before it is still handled.</summary>
    public const string Events = "events";

    /// <summary>What is waiting already comes at the earlier time; what is running just now runs once more.</summary>
    /// <param name="pauseIfThere">Where it is there already: not before this pause, so that many requests make few runs.</param>
    public static Task<int> RequestAsync(
        DbConnection connection, Sql now, PortalId id, string kind, int priority, TimeSpan delay, TimeSpan pauseIfThere,
        string? payload, bool resetAttempts, CancellationToken cancellationToken)
    {
        var pause = delay > pauseIfThere ? delay : pauseIfThere;
        return connection.ExecuteAsync(
            $"""
            INSERT INTO work (member_id, app, kind, priority, due_at, attempt, request, payload, created_at, lease_till)
            VALUES ({id.MemberId}, {id.App}, {kind}, {priority}, {now} + {delay}, 0, 1, {payload}, {now}, 0)
            ON CONFLICT (member_id, app, kind) DO UPDATE SET
                priority = excluded.priority,
                due_at = CASE WHEN work.lease_till <= {now} AND work.due_at < {now} + {pause} THEN work.due_at ELSE {now} + {pause} END,
                attempt = CASE WHEN {resetAttempts} = 1 THEN 0 ELSE work.attempt END,
                request = work.request + 1,
                payload = COALESCE(excluded.payload, work.payload)
            """, cancellationToken);
    }
}
