namespace Bitrix24Placements.Work;

/// <param name="Request">Grows whenever the work is asked for again.</param>
internal sealed record WorkItem(PortalId Id, string Kind, int Attempt, long Request, string? Payload, DateTimeOffset CreatedAt);
