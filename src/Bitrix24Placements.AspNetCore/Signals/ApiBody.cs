using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Signals;

internal static class ApiBody
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    public static async Task<Checked<JsonObject>> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
            return Rejection.NotJson;
        var (json, rejection) = await BoundedBody.ReadAsync(context, static (_, body) => Parse(body.ToArray()) ?? new object());
        return json is JsonObject read ? read : rejection
            ?? Rejection.Malformed("The body has to be a JSON object in which no name is repeated.");
    }

    public static Rejection Malformed(Dictionary<string, string> errors) =>
        Rejection.Malformed(errors) with { Detail = "Members of the body are missing or malformed: errors says which." };

    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    public static JsonObject? Object(JsonObject body, string name, Dictionary<string, string> errors)
    {
        if (body[name] is not (null or JsonObject))
            errors[name] = "An object is expected.";
        return body[name] as JsonObject;
    }

    /// <summary>Null where it is not named.</summary>
    public static string? App(JsonObject body, Dictionary<string, string> errors)
    {
        var app = Text(body["app"]);
        if (body["app"] is not null && (app is null || !AppsOptions.IsName(app)))
            errors["app"] = "The name of an app is expected.";
        return app;
    }

    private static JsonObject? Parse(byte[] json)
    {
        try
        {
            if (JsonNode.Parse(json, null, Options) is not JsonObject body)
                return null;
            // Reads every text once: halves of surrogate pairs are found here and not later.
            _ = body.ToJsonString();
            return body;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }
}
