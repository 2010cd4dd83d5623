using Bitrix24Placements.Apps;

namespace Bitrix24Placements;

/// <summary>Links that open the app in a slider, from any text of the portal. Their parameters arrive as <c>options.parameters</c> of the
/// launch; they grant nothing, anybody can write one.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/app-url.html</remarks>
public sealed class DeepLinks
{
    private readonly AppRegistry _apps;

    internal DeepLinks(AppRegistry apps) => _apps = apps;

    private const int MaxDepth = 32;

    /// <summary>Browsers and proxies cut longer links.</summary>
    private const int MaxLength = 8 * 1024;

    /// <summary>A link by path, <c>/marketplace/view/{code}/?params[docId]=42</c>.</summary>
    /// <param name="parameters">Texts, numbers, truth values, objects and arrays, at most 32 levels deep and 8 KB as a link. PHP reads
    /// them: arrays become objects with the keys 0, 1, …, numbers become texts.</param>
    /// <param name="app">The name of the app that the link opens.</param>
    /// <exception cref="InvalidOperationException">The app's keys are not configured.</exception>
    /// <exception cref="ArgumentException">A name that PHP cannot read back: empty, or with a square bracket in it; or too deep, or too
    /// long.</exception>
    public string Path(JsonObject? parameters = null, string app = PortalId.DefaultApp) =>
        Write($"/marketplace/view/{Uri.EscapeDataString(CodeOf(app))}/", '?', parameters);

    /// <summary>The other form, <c>/marketplace/view/?APP={code}&amp;params[docId]=42</c>.</summary>
    /// <inheritdoc cref="Path(JsonObject?, string)" path="/param"/>
    /// <inheritdoc cref="Path(JsonObject?, string)" path="/exception"/>
    public string QueryPath(JsonObject? parameters = null, string app = PortalId.DefaultApp) =>
        Write($"/marketplace/view/?APP={Uri.EscapeDataString(CodeOf(app))}", '&', parameters);

    internal string? Example(string app) => _apps.Find(app) is null ? null : Path(new() { ["docId"] = 42 }, app);

    private string CodeOf(string app) =>
        _apps.Find(app)?.LinkCode
            ?? throw new InvalidOperationException($"The keys of the app {app} are not configured: a link needs its code.");

    private static string Write(string start, char separator, JsonObject? parameters)
    {
        // One key that grows and shrinks: an empty value adds nothing to the link, and a copy of a long name for each of them would.
        var (link, key) = (new StringBuilder(start), new StringBuilder("params"));
        Append(parameters ?? [], depth: 0);
        return link.ToString();

        void Append(JsonNode? node, int depth)
        {
            // Noticed while it is made: every value repeats the names above it.
            if (link.Length + key.Length > MaxLength)
                throw TooLong();
            if (depth > MaxDepth)
                throw new ArgumentException($"Parameters must not be deeper than {MaxDepth} levels.");
            if (node is not (JsonObject or JsonArray))
            {
                if (link.Append(separator).Append(key).Append('=').Append(Uri.EscapeDataString(Text(node))).Length > MaxLength)
                    throw TooLong();
                separator = '&';
                return;
            }

            foreach (var (name, value) in MembersOf(node))
            {
                var above = key.Length;
                key.Append('[').Append(Uri.EscapeDataString(Checked(name))).Append(']');
                Append(value, depth + 1);
                key.Length = above;
            }
        }
    }

    private static ArgumentException TooLong() => new($"A link with these parameters is longer than {MaxLength} characters.");

    private static IEnumerable<KeyValuePair<string, JsonNode?>> MembersOf(JsonNode node) => node is not JsonArray items ? node.AsObject()
        : items.Select((item, i) => KeyValuePair.Create(i.ToString(CultureInfo.InvariantCulture), item));

    private static string Checked(string name) =>
        name.Length > MaxLength ? throw TooLong() : name.Length > 0 && name.AsSpan().IndexOfAny('[', ']') < 0 ? name
            : throw new ArgumentException("A parameter's name must not be empty or hold a square bracket.");

    private static string Text(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "",
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.True => "1",
        JsonValueKind.False => "0",
        _ => value.ToJsonString(),
    };
}
