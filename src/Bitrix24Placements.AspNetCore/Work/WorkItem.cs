using System.Text.Json.Serialization.Metadata;

namespace Bitrix24Placements.Work;

/// <param name="Request">Grows whenever the work is asked for again.</param>
internal sealed record WorkItem(PortalId Id, string Kind, int Attempt, long Request, string? Payload, DateTimeOffset CreatedAt)
{
    /// <summary>Null where it is no such record, as an earlier version may have written it.</summary>
    public T? Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return Payload is null ? null : JsonSerializer.Deserialize(Payload, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
