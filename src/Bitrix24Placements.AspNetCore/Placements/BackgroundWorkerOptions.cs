using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

/// <param name="Id">Always the placement's code.</param>
/// <param name="Uri">Path and query of the page that is open.</param>
public sealed record BackgroundWorkerOptions(string Id, string? Uri)
{
    internal static BackgroundWorkerOptions Read(byte[] json)
    {
        var options = JsonElement.Parse(json);
        return new(options.Text("ID") ?? PlacementCatalogue.BackgroundWorker, options.Text("URI"));
    }
}
