using Bitrix24Placements.Placements;

namespace Bitrix24Placements;

/// <summary>What the link said. Anybody can make a link: its parameters name things, they grant nothing.</summary>
/// <param name="Parameters">Every key of <c>params</c> with JSON as it came: texts, or nested objects of <c>params[a][b]</c>.</param>
/// <param name="Uri">The page that the user came from; null without a Referer.</param>
public sealed record RestAppUriOptions(IReadOnlyDictionary<string, JsonElement> Parameters, string? Uri)
{
    internal static RestAppUriOptions Read(byte[] json)
    {
        var parameters = LaunchParameters.Read(json);
        return parameters.TryGetValue("URI", out var uri) && uri.ValueKind == JsonValueKind.String && parameters.Remove("URI")
            ? new(parameters, uri.GetString()) : new(parameters, null);
    }
}
