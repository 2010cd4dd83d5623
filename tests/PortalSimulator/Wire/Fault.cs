using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>Something that goes wrong with one request, before or after its work is done.</summary>
public sealed record Fault
{
    private Fault(string name) => Name = name;

    internal string Name { get; }

    internal Task? WaitBefore { get; private init; }

    internal TimeSpan? StartsAfter { get; private init; }

    internal bool AbortBefore { get; private init; }

    internal Answer? Instead { get; private init; }

    internal Task? WaitAfter { get; private init; }

    internal TimeSpan? LateBy { get; private init; }

    internal bool AbortAfter { get; private init; }

    internal (int PieceBytes, TimeSpan Pause)? Trickle { get; private init; }

    /// <summary>Refuses; nothing is done. <paramref name="more"/> is merged into the answer, such as a <c>time</c> block.</summary>
    public static Fault Error(string code, int status = 400, string? description = null, JsonObject? more = null)
    {
        var body = new JsonObject { ["error"] = code, ["error_description"] = description ?? code };
        foreach (var (name, value) in more ?? [])
            body[name] = value?.DeepClone();
        return new Fault(code) { Instead = PortalSimulator.Answer.Json(body, status) };
    }

    /// <summary>A refusal of REST 3.0: <c>error</c> is an object with <c>code</c> and <c>message</c>. Nothing is done.</summary>
    public static Fault ErrorObject(string code, int status = 400, string? message = null, JsonNode? validation = null)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = message ?? code };
        if (validation is not null) error["validation"] = validation.DeepClone();
        return new Fault(code) { Instead = PortalSimulator.Answer.Json(new JsonObject { ["error"] = error }, status) };
    }

    /// <summary>Any answer at all; nothing is done.</summary>
    public static Fault Answer(string body, int status = 200, string contentType = Garbled) =>
        new("answer") { Instead = PortalSimulator.Answer.Text(body, status, contentType) };

    public static Fault Redirect(string location, int status = 302) =>
        new("redirect") { Instead = PortalSimulator.Answer.Redirect(location, status) };

    /// <summary>A page where JSON was expected.</summary>
    public static Fault Garbage(int status = 200) =>
        new("garbage") { Instead = PortalSimulator.Answer.Text("<html><body><h1>Something went wrong</h1>{\"result\":", status, Garbled) };

    /// <summary>The work is done late. Measured by the simulator's TimeProvider.</summary>
    public static Fault Delay(TimeSpan delay) => new("delay") { StartsAfter = delay };

    /// <summary>The work is done at once, the answer comes late.</summary>
    public static Fault DelayAfter(TimeSpan delay) => new("delay after") { LateBy = delay };

    /// <summary>The work waits for the test.</summary>
    public static Fault Until(Task task) => new("until") { WaitBefore = task };

    /// <summary>The work is done, its answer waits for the test.</summary>
    public static Fault UntilAfter(Task task) => new("until after") { WaitAfter = task };

    /// <summary>Closes the connection, nothing is done.</summary>
    public static Fault Drop() => new("drop") { AbortBefore = true };

    /// <summary>Does it, then closes the connection: the caller cannot know.</summary>
    public static Fault DropAfter() => new("drop after") { AbortAfter = true };

    /// <summary>Never answers, nothing is done.</summary>
    public static Fault Hang() => new("hang") { StartsAfter = Timeout.InfiniteTimeSpan };

    /// <summary>Does it, and never answers.</summary>
    public static Fault HangAfter() => new("hang after") { LateBy = Timeout.InfiniteTimeSpan };

    /// <summary>Does it, and sends the answer in pieces, with a pause (of real time) before each.</summary>
    public static Fault SlowBody(TimeSpan pause, int pieceBytes = 1) => new("slow body") { Trickle = (pieceBytes, pause) };

    /// <summary>
    /// Nothing is done. A few kilobytes of gzip that are <paramref name="megabytes"/> MB of JSON, a list of zeros in an otherwise
    /// believable <c>result</c>; about a thousandth of it is sent.
    /// </summary>
    public static Fault GzipBomb(int megabytes) => new("gzip bomb") { Instead = Bomb.Of(megabytes) };

    private const string Garbled = "text/html; charset=utf-8";
}
