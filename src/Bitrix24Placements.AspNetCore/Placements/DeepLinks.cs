using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Apps;

namespace Bitrix24Placements;

/// <summary>Links that open the app in a slider, from any text of the portal. Their parameters arrive as <c>options.parameters</c> of the launch; they grant nothing, anybody can write one.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/app-url.html</remarks>
public sealed class DeepLinks
{
    private readonly AppRegistry _apps;

    internal DeepLinks(AppRegistry apps) => _apps = apps;

    private const int Deepest = 32;

    /// <summary>A link by path, <c>/marketplace/view/{code}/?params[docId]=42</c>.</summary>
    /// <param name="parameters">Texts, numbers, truth values, objects and arrays, at most 32 levels deep. PHP reads them: arrays become objects with the keys 0, 1, …, numbers become texts.</param>
    /// <exception cref="InvalidOperationException">Neither <c>Bitrix24:ClientId</c> nor <c>Bitrix24:AppCode</c> is configured.</exception>
    /// <exception cref="ArgumentException">A name that PHP cannot read back: empty, or with a square bracket in it; or too deep.</exception>
    public string Path(JsonObject? parameters = null) => Write($"/marketplace/view/{Uri.EscapeDataString(Code)}/", '?', parameters);

    /// <summary>The other form, <c>/marketplace/view/?APP={code}&amp;params[docId]=42</c>.</summary>
    /// <inheritdoc cref="Path(JsonObject?)" path="/param"/>
    /// <inheritdoc cref="Path(JsonObject?)" path="/exception"/>
    public string QueryPath(JsonObject? parameters = null) => Write($"/marketplace/view/?APP={Uri.EscapeDataString(Code)}", '&', parameters);

    internal string? Example() => _apps.Find(PortalId.DefaultApp)?.LinkCode is null ? null : Path(new JsonObject { ["docId"] = 42 });

    internal bool CanMake => _apps.Find(PortalId.DefaultApp)?.LinkCode is not null;

    private string Code => _apps.Find(PortalId.DefaultApp)?.LinkCode ?? throw new InvalidOperationException("Bitrix24:ClientId is not configured: a link needs the app's code.");

    private static string Write(string start, char separator, JsonObject? parameters)
    {
        var link = new StringBuilder(start);
        foreach (var (name, value) in parameters ?? [])
            Append(link, ref separator, "params", name, value, 1);
        return link.ToString();
    }

    private static void Append(StringBuilder link, ref char separator, string prefix, string name, JsonNode? value, int depth)
    {
        if (name.Length == 0 || name.AsSpan().IndexOfAny('[', ']') >= 0)
            throw new ArgumentException("A parameter's name must not be empty or hold a square bracket.");
        if (depth > Deepest)
            throw new ArgumentException($"Parameters must not be deeper than {Deepest} levels.");
        var key = prefix + "[" + Escape(name) + "]";
        switch (value)
        {
            case JsonObject members:
                foreach (var (member, inner) in members)
                    Append(link, ref separator, key, member, inner, depth + 1);
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                    Append(link, ref separator, key, i.ToString(System.Globalization.CultureInfo.InvariantCulture), items[i], depth + 1);
                break;
            default:
                link.Append(separator).Append(key).Append('=').Append(Escape(Text(value)));
                separator = '&';
                break;
        }
    }

    private static string Text(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "",
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.True => "1",
        JsonValueKind.False => "0",
        _ => value.ToJsonString(),
    };

    private static string Escape(string text) => Uri.EscapeDataString(text);
}
