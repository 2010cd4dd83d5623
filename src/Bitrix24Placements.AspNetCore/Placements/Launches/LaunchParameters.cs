namespace Bitrix24Placements.Placements;

internal static class LaunchParameters
{
    /// <summary>As they came; of a repeated name the last.</summary>
    public static Dictionary<string, JsonElement> Read(byte[] json)
    {
        var parameters = new Dictionary<string, JsonElement>();
        foreach (var member in JsonElement.Parse(json).EnumerateObject())
            parameters[member.Name] = member.Value;
        return parameters;
    }
}
