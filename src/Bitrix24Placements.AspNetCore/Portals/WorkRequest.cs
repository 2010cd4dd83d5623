using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>What waits already comes at the earlier time; what is running runs once more.</summary>
internal sealed record WorkRequest(PortalId Id, string Kind)
{
    public WorkPriority Priority { get; init; } = WorkPriority.Asked;

    public TimeSpan Delay { get; init; }

    /// <summary>Where it is there already: not before this pause, so that many requests make few runs.</summary>
    public TimeSpan PauseIfThere { get; init; }

    /// <summary>Null keeps what is there.</summary>
    public string? Payload { get; init; }

    /// <summary>What waits with this payload keeps it, and is not put off by more than the pause.</summary>
    public string? GivesWayTo { get; init; }

    /// <summary>Otherwise its pauses begin anew.</summary>
    public bool KeepsAttempts { get; init; }

    /// <summary>What is there already stays as it is.</summary>
    public bool OnlyIfNone { get; init; }

    /// <summary>In one transaction with what it belongs to: a kill leaves both or neither.</summary>
    public Task<int> FileAsync(Connection connection, Sql now)
    {
        // Counted on from the time: a row that comes back has none of its earlier numbers.
        var pause = Delay > PauseIfThere ? Delay : PauseIfThere;
        Sql update =
            $"""
            UPDATE SET
                priority = excluded.priority,
                due_at = CASE WHEN work.lease_till <= {now} AND work.due_at < {now} + {pause} THEN work.due_at
                    WHEN work.lease_till > {now} AND work.payload = {GivesWayTo} THEN {now} + {PauseIfThere}
                    ELSE {now} + {pause} END,
                attempt = CASE WHEN {KeepsAttempts} = 1 THEN work.attempt ELSE 0 END,
                request = work.request + 1,
                payload = CASE WHEN work.payload = {GivesWayTo} THEN work.payload ELSE COALESCE(excluded.payload, work.payload) END
            """;
        return connection.ExecuteAsync(
            $"""
            INSERT INTO work (member_id, app, kind, priority, due_at, attempt, request, payload, created_at, lease_till)
            VALUES ({Id.MemberId}, {Id.App}, {Kind}, {Priority}, {now} + {Delay}, 0, {now}, {Payload}, {now}, 0)
            ON CONFLICT (member_id, app, kind) DO {(OnlyIfNone ? "NOTHING" : update)}
            """);
    }
}
