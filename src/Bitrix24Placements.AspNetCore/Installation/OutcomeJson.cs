using System.Buffers;
using System.Text;
using System.Text.Json;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Installation;

/// <summary>Outcomes as scripts read them, and as they are stored.</summary>
internal static class OutcomeJson
{
    public sealed record StoredPlacement(string Placement, string Handler, string? Error);

    public static string Placements(IReadOnlyList<PlacementOutcome> outcomes)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            WritePlacements(json, outcomes.Select(static o => new StoredPlacement(o.Placement, o.Handler, o.Error?.Code)));
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static void WritePlacements(Utf8JsonWriter json, IEnumerable<StoredPlacement> outcomes)
    {
        json.WriteStartArray();
        foreach (var outcome in outcomes)
        {
            json.WriteStartObject();
            json.WriteString("placement", outcome.Placement);
            json.WriteString("handler", outcome.Handler);
            json.WriteString("state", outcome.Error is null ? "registered" : "failed");
            json.WriteString("error", outcome.Error);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public static IReadOnlyList<StoredPlacement> ReadPlacements(string? stored)
    {
        if (stored is null)
            return [];
        using var json = JsonDocument.Parse(stored);
        return [.. json.RootElement.EnumerateArray().Select(static e => new StoredPlacement(e.Text("placement") ?? "", e.Text("handler") ?? "", e.Text("error")))];
    }

    /// <summary>The installation's outcome, as the contract gives it.</summary>
    public static byte[] Installation(string memberId, string domain, Reconciliation reconciliation)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartObject("portal");
            json.WriteString("memberId", memberId);
            json.WriteString("domain", domain);
            json.WriteEndObject();
            json.WriteBoolean("finished", reconciliation.Finished);
            json.WritePropertyName("placements");
            WritePlacements(json, reconciliation.Placements.Select(static o => new StoredPlacement(o.Placement, o.Handler, o.Error?.Code)));
            // Placements can all be registered while the events are not: then this says why it is not finished.
            if (reconciliation.EventsError is { } error && reconciliation.Placements.All(static p => p.IsRegistered))
                json.WriteString("eventsError", error.Code);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
