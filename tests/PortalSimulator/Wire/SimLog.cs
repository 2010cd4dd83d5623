using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <param name="Detail">A JSON document as text, or null.</param>
public sealed record LogEntry(
    long N, DateTimeOffset At, string From, string To, string Kind, string Summary, string? Detail, int? Status, long? Ms);

/// <summary>What a person sees beside the portal: who asked whom for what, without secrets.</summary>
public sealed class SimLog
{
    private const int Kept = 5000;

    // Read by people, and always put into a page as text.
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _gate = new();
    private readonly Queue<LogEntry> _entries = new();
    private readonly TimeProvider _time;
    private readonly Secrets _secrets;
    private long _last;

    internal SimLog(TimeProvider time, Secrets secrets) => (_time, _secrets) = (time, secrets);

    /// <summary>The last entries (5000 are kept) behind number <paramref name="n"/>; 0 gives all.</summary>
    public IReadOnlyList<LogEntry> After(long n)
    {
        lock (_gate) return [.. _entries.Where(entry => entry.N > n)];
    }

    internal void Add(
        string kind, string from, string to, string summary, JsonObject? detail = null, int? status = null, TimeSpan? took = null)
    {
        summary = _secrets.Mask(summary);
        var text = detail is null ? null : _secrets.Mask(detail.ToJsonString(Readable));
        lock (_gate)
        {
            _entries.Enqueue(new LogEntry(
                ++_last, _time.GetUtcNow(), from, to, kind, summary, text, status, (long?)took?.TotalMilliseconds));
            if (_entries.Count > Kept) _entries.Dequeue();
        }
    }

    internal static JsonObject Details(IEnumerable<KeyValuePair<string, string>> fields)
    {
        var details = new JsonObject();
        foreach (var (name, value) in fields)
            details[name] = value;
        return details;
    }

    /// <summary>An exchange: what was asked, and the answer as JSON where it is some.</summary>
    internal static JsonObject Details(JsonNode asked, string? answer)
    {
        JsonNode? read;
        try
        {
            read = string.IsNullOrEmpty(answer) ? null : JsonNode.Parse(answer);
        }
        catch (JsonException)
        {
            read = answer;
        }
        return new JsonObject { ["request"] = asked.DeepClone(), ["answer"] = read };
    }

    internal JsonArray ToJson(long after) =>
        [.. After(after).Select(entry => JsonSerializer.SerializeToNode(entry, JsonSerializerOptions.Web))];

    internal void Clear()
    {
        lock (_gate) _entries.Clear();
    }
}
