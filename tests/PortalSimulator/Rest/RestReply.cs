using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>What a REST method says, before the envelope.</summary>
internal sealed record RestReply
{
    private static readonly TimeSpan OperatingWindow = TimeSpan.FromMinutes(10);

    public int Status { get; private init; } = 200;

    public string? Code { get; private init; }

    private JsonNode? Result { get; init; }

    private JsonObject? Refusal { get; init; }

    private int? Total { get; init; }

    private int? Next { get; init; }

    public static RestReply Ok(JsonNode? result) => new() { Result = result };

    /// <summary>A page of a list: <paramref name="next"/> is told where there is more.</summary>
    public static RestReply Page(JsonNode result, int total, int next) =>
        new() { Result = result, Total = total, Next = next < total ? next : null };

    public static RestReply Error(string code, string description, int status, string? argument = null)
    {
        var body = new JsonObject { ["error"] = code, ["error_description"] = description };
        if (argument is not null) body["argument"] = argument;
        return new RestReply { Status = status, Code = code, Refusal = body };
    }

    public static RestReply AccessDenied(string why) => Error("ACCESS_DENIED", $"Access denied! {why}", 403);

    public static RestReply Missing(string argument, int status) =>
        Error("ERROR_ARGUMENT", $"Argument '{argument}' is null or empty", status, argument);

    /// <summary>A refusal that some versions put inside <c>result</c>.</summary>
    public RestReply InsideResult() => this with { Refusal = new JsonObject { ["result"] = Refusal?.DeepClone() } };

    public Answer ToAnswer(DateTimeOffset started, DateTimeOffset finished)
    {
        if (Refusal is not null && !Refusal.ContainsKey("result")) return Answer.Json(Refusal.DeepClone(), Status);
        var body = (JsonObject?)Refusal?.DeepClone() ?? new JsonObject { ["result"] = Result };
        if (Total is { } total) body["total"] = total;
        if (Next is { } next) body["next"] = next;
        body["time"] = Time(started, finished);
        return Answer.Json(body, Status);
    }

    private static JsonObject Time(DateTimeOffset started, DateTimeOffset finished) => new()
    {
        ["start"] = started.ToUnixTimeMilliseconds() / 1000d,
        ["finish"] = finished.ToUnixTimeMilliseconds() / 1000d,
        ["duration"] = (finished - started).TotalSeconds,
        ["processing"] = (finished - started).TotalSeconds,
        ["date_start"] = started.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture),
        ["date_finish"] = finished.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture),
        ["operating_reset_at"] = (finished + OperatingWindow).ToUnixTimeSeconds(),
        ["operating"] = 0,
    };
}
