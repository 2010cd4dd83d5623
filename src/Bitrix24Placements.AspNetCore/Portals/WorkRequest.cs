using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>Work that is asked for. What is waiting already comes at the earlier time; what is running just now runs once more.</summary>
internal sealed record WorkRequest(PortalId Id, string Kind)
{
    public WorkPriority Priority { get; init; } = WorkPriority.Asked;

    public TimeSpan Delay { get; init; }

    /// <summary>Where it is there already: not before this pause, so that many requests make few runs.</summary>
    public TimeSpan PauseIfThere { get; init; }

    /// <summary>Null keeps what is there.</summary>
    public string? Payload { get; init; }

    /// <summary>Otherwise its pauses begin anew.</summary>
    public bool KeepsAttempts { get; init; }

    /// <summary>In the same transaction as what it belongs to: whoever is killed afterwards finds both.</summary>
    public Task<int> FileAsync(Connection connection, Sql now)
    {
        // Requests are counted on from the time: a row that was deleted and comes back has none of its earlier numbers.
        var pause = Delay > PauseIfThere ? Delay : PauseIfThere;
        return connection.ExecuteAsync(
            $"""
            INSERT INTO work (member_id, app, kind, priority, due_at, attempt, request, payload, created_at, lease_till)
            VALUES ({Id.MemberId}, {Id.App}, {Kind}, {Priority}, {now} + {Delay}, 0, {now}, {Payload}, {now}, 0)
            ON CONFLICT (member_id, app, kind) DO UPDATE SET
                priority = excluded.priority,
                due_at = CASE WHEN work.lease_till <= {now} AND work.due_at < {now} + {pause} THEN work.due_at ELSE {now} + {pause} END,
                attempt = CASE WHEN {KeepsAttempts} = 1 THEN work.attempt ELSE 0 END,
                request = work.request + 1,
                payload = COALESCE(excluded.payload, work.payload)
            """);
    }
}
