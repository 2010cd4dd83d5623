using System.Text.Json;

namespace Bitrix24Placements.Placements.BackgroundWorker;

/// <param name="Id">Always the placement's code.</param>
/// <param name="Uri">Path and query of the page that is open.</param>
public sealed record BackgroundWorkerOptions(string Id, string? Uri)
{
    internal static BackgroundWorkerOptions Read(JsonElement options)
    {
        if (options.ValueKind != JsonValueKind.Object)
            return new(PlacementCatalogue.BackgroundWorker, null);
        var id = options.TryGetProperty("ID"u8, out var i) && i.ValueKind == JsonValueKind.String ? i.GetString()! : PlacementCatalogue.BackgroundWorker;
        var uri = options.TryGetProperty("URI"u8, out var u) && u.ValueKind == JsonValueKind.String ? u.GetString() : null;
        return new(id, uri);
    }
}
