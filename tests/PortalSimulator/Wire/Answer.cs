using System.Text;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>An HTTP answer as a value: a fault can hold it back after the work is done.</summary>
internal sealed record Answer(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    public const string JsonType = "application/json; charset=utf-8";

    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Sent in pieces, with a pause before each.</summary>
    public (int PieceBytes, TimeSpan Pause)? Trickle { get; init; }

    public static Answer Json(JsonNode node, int status = 200) => new(status, JsonType, Encoding.UTF8.GetBytes(node.ToJsonString()));

    public static Answer Text(string text, int status = 200, string contentType = "text/plain; charset=utf-8") =>
        new(status, contentType, Encoding.UTF8.GetBytes(text));

    public static Answer Redirect(string location, int status = 302) =>
        new(status, "text/html", default) { Headers = new Dictionary<string, string> { ["Location"] = location } };

    public static Answer Error(string code, string description, int status) =>
        Json(new JsonObject { ["error"] = code, ["error_description"] = description }, status);

    public string BodyText => Encoding.UTF8.GetString(Body.Span);

    public Answer With(string header, string value) =>
        this with { Headers = new Dictionary<string, string>(Headers) { [header] = value } };

    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.StatusCode = Status;
        response.ContentType = ContentType;
        foreach (var (name, value) in Headers)
            response.Headers[name] = value;
        if (Body.Length == 0) return;
        response.ContentLength = Body.Length;
        if (Trickle is not { } slow)
        {
            await response.Body.WriteAsync(Body, cancellationToken);
            return;
        }
        for (var at = 0; at < Body.Length; at += slow.PieceBytes)
        {
            await Task.Delay(slow.Pause, cancellationToken);
            await response.Body.WriteAsync(Body.Slice(at, Math.Min(slow.PieceBytes, Body.Length - at)), cancellationToken);
            await response.Body.FlushAsync(cancellationToken);
        }
    }
}
