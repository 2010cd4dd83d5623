namespace Bitrix24Placements.Events;

/// <summary>An event that was answered 200 and waits for its handler.</summary>
/// <param name="EventId">The same over repeats.</param>
internal sealed record InboxEvent(PortalId Id, string EventId, string Name, string Payload)
{
    /// <summary>Null: now.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>Since its handler first failed.</summary>
    public TimeSpan TriedFor { get; init; }

    public TimeSpan DueIn { get; init; }

    public int Attempt { get; init; }
}

internal sealed record InboxCounts(long Waiting, long Failed);
