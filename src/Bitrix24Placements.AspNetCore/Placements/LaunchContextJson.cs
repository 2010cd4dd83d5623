using System.Buffers;
using System.Text.Json;

namespace Bitrix24Placements.Placements;

/// <summary>The launch context as JSON: for curl, scripts and support. Written field by field, so that no token can slip in.</summary>
internal static class LaunchContextJson
{
    public static byte[] Write(PlacementRequest request)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            WriteMembers(json, request);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteMembers(Utf8JsonWriter json, PlacementRequest request)
    {
        json.WriteString("placement", request.Placement);
        json.WriteStartObject("portal");
        json.WriteString("memberId", request.Portal.MemberId);
        json.WriteString("domain", request.Portal.Domain);
        json.WriteString("protocol", request.Portal.Protocol);
        json.WriteEndObject();
        json.WriteString("language", request.Language);
        json.WriteString("applicationSid", request.ApplicationSid);
        json.WriteString("applicationStatus", request.ApplicationStatus);
        if (request.UserId is { } userId)
            json.WriteNumber("userId", userId);
        else
            json.WriteNull("userId");
        json.WriteString("verification", request.Verification switch
        {
            Verification.AccessToken => "accessToken",
            Verification.ApplicationToken => "applicationToken",
            _ => "none",
        });
        WriteOptions(json, request);
        json.WriteStartObject("handlerQuery");
        foreach (var (name, value) in request.HandlerQuery)
            json.WriteString(name, value);
        json.WriteEndObject();
    }

    private static void WriteOptions(Utf8JsonWriter json, PlacementRequest request)
    {
        switch (request)
        {
            case RestAppUriRequest link:
                json.WriteStartObject("options");
                WriteParameters(json, link.Options.Parameters);
                json.WriteString("uri", link.Options.Uri);
                json.WriteEndObject();
                break;
            case AppPageRequest app:
                json.WriteStartObject("options");
                WriteParameters(json, app.Parameters);
                json.WriteEndObject();
                break;
            case BackgroundWorkerRequest worker:
                json.WriteStartObject("options");
                json.WriteString("id", worker.Options.Id);
                json.WriteString("uri", worker.Options.Uri);
                json.WriteEndObject();
                break;
        }
    }

    private static void WriteParameters(Utf8JsonWriter json, IReadOnlyDictionary<string, JsonElement> parameters)
    {
        json.WriteStartObject("parameters");
        foreach (var (name, value) in parameters)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }

        json.WriteEndObject();
    }
}
