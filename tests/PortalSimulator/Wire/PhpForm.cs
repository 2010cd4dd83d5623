using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>PHP's bracket notation: <c>auth[access_token]=…</c>, <c>params[a][b]=…</c>, <c>list[]=…</c>.</summary>
internal static class PhpForm
{
    public static JsonObject Parse(IEnumerable<KeyValuePair<string, string>> fields)
    {
        var root = new JsonObject();
        foreach (var (name, value) in fields)
            Put(root, Path(name), value);
        return root;
    }

    public static JsonObject ParseQuery(string query)
    {
        var fields = query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair =>
        {
            var parts = pair.Split('=', 2);
            return KeyValuePair.Create(Decode(parts[0]), parts.Length == 2 ? Decode(parts[1]) : "");
        });
        return Parse(fields);
    }

    public static List<KeyValuePair<string, string>> Flatten(JsonObject values)
    {
        var fields = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in values)
            Flatten(name, value, fields);
        return fields;
    }

    /// <summary>As PHP encodes an array: a list when its keys are 0, 1, 2 …</summary>
    public static JsonNode? WithLists(JsonNode? node)
    {
        if (node is not JsonObject map) return node?.DeepClone();
        var values = map.Select(pair => KeyValuePair.Create(pair.Key, WithLists(pair.Value))).ToList();
        var numbered = values.Select((pair, index) => pair.Key == index.ToString(CultureInfo.InvariantCulture)).All(same => same);
        return numbered && values.Count > 0 ? new JsonArray([.. values.Select(pair => pair.Value)]) : new JsonObject(values);
    }

    /// <summary>The text of a scalar as PHP would have received it, null when there is none.</summary>
    public static string? Text(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null or JsonValueKind.Object or JsonValueKind.Array => null,
        JsonValueKind.String => node.GetValue<string>(),
        JsonValueKind.True => "1",
        JsonValueKind.False => "",
        _ => node.ToJsonString(),
    };

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static List<string> Path(string name)
    {
        var open = name.IndexOf('[', StringComparison.Ordinal);
        if (open <= 0 || !name.EndsWith(']')) return [name];
        return [name[..open], .. name[(open + 1)..^1].Split("][")];
    }

    private static void Put(JsonObject root, List<string> path, string value)
    {
        var node = root;
        foreach (var step in path[..^1])
        {
            var key = Key(node, step);
            if (node[key] is not JsonObject child)
                node[key] = child = [];
            node = child;
        }
        node[Key(node, path[^1])] = value;
    }

    private static string Key(JsonObject node, string step) =>
        step.Length == 0 ? node.Count.ToString(CultureInfo.InvariantCulture) : step;

    private static void Flatten(string name, JsonNode? value, List<KeyValuePair<string, string>> fields)
    {
        var children = value switch
        {
            JsonObject map => map.Select(pair => (pair.Key, pair.Value)),
            JsonArray list => list.Select((item, index) => (index.ToString(CultureInfo.InvariantCulture), item)),
            _ => null,
        };
        if (children is null)
        {
            fields.Add(KeyValuePair.Create(name, Text(value) ?? ""));
            return;
        }
        foreach (var (key, child) in children)
            Flatten($"{name}[{key}]", child, fields);
    }
}
