using System.Text.Json;
using Bitrix24Placements.Placements;

namespace Bitrix24Placements;

/// <param name="Id">Always the placement's code.</param>
/// <param name="Uri">Path and query of the page that is open.</param>
public sealed record BackgroundWorkerOptions(string Id, string? Uri)
{
    private static readonly BackgroundWorkerOptions None = new(PlacementCatalogue.BackgroundWorker, null);

    /// <summary>Reads two texts without a document around them: this runs on every page of every user.</summary>
    internal static BackgroundWorkerOptions Read(byte[] json)
    {
        if (json.Length == 0)
            return None;
        var options = None;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isId, isUri) = (reader.ValueTextEquals("ID"u8), reader.ValueTextEquals("URI"u8));
            reader.Read();
            if (isUri)
                options = options with { Uri = reader.TokenType == JsonTokenType.String ? reader.GetString() : null };
            else if (isId && reader.TokenType == JsonTokenType.String && !reader.ValueTextEquals(options.Id))
                options = options with { Id = reader.GetString() ?? options.Id };
            reader.Skip();
        }

        return options;
    }
}
