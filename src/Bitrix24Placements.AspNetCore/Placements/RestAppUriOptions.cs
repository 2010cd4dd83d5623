using System.Text.Json;

namespace Bitrix24Placements;

/// <summary>What the link said. Anybody can make a link: its parameters name things, they grant nothing.</summary>
/// <param name="Parameters">Every key of <c>params</c> with JSON as it came: texts, or nested objects of <c>params[a][b]</c>.</param>
/// <param name="Uri">The page that the user came from; null without a Referer.</param>
public sealed record RestAppUriOptions(IReadOnlyDictionary<string, JsonElement> Parameters, string? Uri)
{
    internal static RestAppUriOptions Read(byte[]? json)
    {
        var parameters = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        string? uri = null;
        if (json is not null)
        {
            foreach (var member in JsonElement.Parse(json).EnumerateObject())
            {
                if (member.NameEquals("URI"u8) && member.Value.ValueKind == JsonValueKind.String)
                    uri = member.Value.GetString();
                else
                    parameters[member.Name] = member.Value;
            }
        }

        return new(parameters, uri);
    }
}
