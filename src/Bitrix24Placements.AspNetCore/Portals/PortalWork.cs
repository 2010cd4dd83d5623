using System.Data.Common;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Work that is filed in the same transaction as what it belongs to: whoever is killed afterwards finds both.</summary>
internal static class PortalWork
{
    public const string Reconcile = "reconcile";
    public const string Uninstall = "uninstall";

    /// <summary>Outlives an uninstallation: what was accepted before it is still handled.</summary>
    public const string Events = "events";

    /// <summary>Asks for work. What is waiting already comes at the earlier time; what is running just now runs once more.</summary>
    /// <param name="pauseIfThere">Where the work is waiting or running already: not before this pause, so that many requests make
    /// few runs.</param>
    /// <param name="resetAttempts">Whether earlier failures' pauses are void.</param>
    public static async Task RequestAsync(
        DbConnection connection, string nowSql, PortalId id, string kind, int priority, TimeSpan delay, TimeSpan pauseIfThere,
        string? payload, bool resetAttempts,
        CancellationToken cancellationToken)
    {
        await using var command = connection.Command(
            $"""
            INSERT INTO work (member_id, app, kind, priority, due_at, attempt, request, payload, created_at, lease_till)
            VALUES (@id, @app, @kind, @priority, {nowSql} + @delay, 0, 1, @payload, {nowSql}, 0)
            ON CONFLICT (member_id, app, kind) DO UPDATE SET
                priority = @priority,
                due_at = CASE WHEN work.lease_till <= {nowSql} AND work.due_at < {nowSql} + @again THEN work.due_at
                    ELSE {nowSql} + @again END,
                attempt = CASE WHEN @reset = 1 THEN 0 ELSE work.attempt END,
                request = work.request + 1,
                payload = COALESCE(@payload, work.payload)
            """,
            ("@id", id.MemberId), ("@app", id.App), ("@kind", kind), ("@priority", priority), ("@payload", payload),
            ("@reset", resetAttempts ? 1 : 0),
            ("@delay", (long)delay.TotalMilliseconds), ("@again", (long)Math.Max(delay.TotalMilliseconds, pauseIfThere.TotalMilliseconds)));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
