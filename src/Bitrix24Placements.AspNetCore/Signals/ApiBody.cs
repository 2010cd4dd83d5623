using System.Buffers;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Signals;

internal static class ApiBody
{
    /// <summary>Each takes many times its bytes in memory.</summary>
    private const int MaxValues = 8192;

    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    public static async Task<Checked<JsonObject>> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
            return Rejection.NotJson;
        var body = await BoundedBody.ReadAsync(context, (_, bytes) => bytes.ToArray());
        if (!body.Ok)
            return body.Rejection;
        return Parse(body.Value) is { } json ? json : Rejection.Malformed(
            $"The body has to be a JSON object of at most {MaxValues} names and values, in which no name is repeated.");
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

    public static string? App(JsonObject body, Dictionary<string, string> errors)
    {
        var app = Text(body["app"]);
        if (body["app"] is not null && (app is null || !AppsOptions.IsName(app)))
            errors["app"] = "The name of an app is expected.";
        return app;
    }

    /// <summary>Halves of surrogate pairs are found here and not later.</summary>
    private static bool AreGood(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        for (var count = 0; reader.Read(); count++)
        {
            if (count >= MaxValues)
                return false;
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                _ = reader.GetString();
        }

        return true;
    }

    private static JsonObject? Parse(byte[] json)
    {
        try
        {
            return AreGood(json) ? JsonNode.Parse(json, null, Options) as JsonObject : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }
}
