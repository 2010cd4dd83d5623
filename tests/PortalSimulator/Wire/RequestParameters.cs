using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

internal static class RequestParameters
{
    /// <summary>Query and body as one set, the body winning, as PHP's <c>$_REQUEST</c>.</summary>
    public static async Task<JsonObject> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var all = PhpForm.ParseQuery(request.QueryString.Value ?? "");
        foreach (var (name, value) in await ReadBodyAsync(request, cancellationToken))
            all[name] = value?.DeepClone();
        return all;
    }

    public static async Task<JsonObject> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.HasFormContentType)
        {
            var form = await request.ReadFormAsync(cancellationToken);
            return PhpForm.Parse(form.SelectMany(field => field.Value.Select(value => KeyValuePair.Create(field.Key, value ?? ""))));
        }
        using var reader = new StreamReader(request.Body);
        var text = await reader.ReadToEndAsync(cancellationToken);
        if (text.Length == 0) return [];
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            // The vendor's BX24.js posts a form without saying so: browsers call it text/plain.
            return PhpForm.ParseQuery(text);
        }
    }

    /// <summary>Bitrix24 does not care about the case of parameter names.</summary>
    public static JsonNode? Find(this JsonObject parameters, string name) =>
        parameters.FirstOrDefault(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    public static string? FindText(this JsonObject parameters, string name) => PhpForm.Text(parameters.Find(name));
}
