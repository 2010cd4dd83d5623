namespace Bitrix24Placements.Placements;

/// <summary>As it came; of a repeated name the last.</summary>
internal static class LaunchParameters
{
    public static Dictionary<string, JsonElement> Read(byte[] json)
    {
        var parameters = new Dictionary<string, JsonElement>();
        if (json.Length > 0)
        {
            foreach (var member in JsonElement.Parse(json).EnumerateObject())
                parameters[member.Name] = member.Value;
        }

        return parameters;
    }
}
