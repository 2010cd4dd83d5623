namespace Bitrix24Placements.Inspector;

/// <summary>The last launches, events and REST calls, for a page in Development. Elsewhere there is none.</summary>
internal sealed class Inspections(TimeProvider time)
{
    public const int Max = 200;

    private const int MaxValueLength = 1_000;

    private static readonly string[] Secrets =
        ["token", "secret", "password", "auth_id", "refresh_id", "app_sid", "session", "errorhandlerurl"];

    private readonly Lock _lock = new();
    private readonly Queue<Exchange> _last = new(Max);
    private long _number;

    public void AddRequest(
        string title, CapturedRequest request, string outcome, IEnumerable<KeyValuePair<string, string>> fields, TimeSpan took)
    {
        var shown = Shown(fields);
        var kind = shown.Exists(f => f.Key == "event") ? "event" : "launch";
        Add(new(kind, title, outcome, shown, (long)took.TotalMilliseconds) { Request = request });
    }

    public void AddCall(string portal, string method, JsonObject? parameters, string outcome, TimeSpan took) =>
        Add(new("call", method, outcome, Shown(Fields("", parameters).Prepend(new("portal", portal))), (long)took.TotalMilliseconds));

    public IReadOnlyList<Exchange> After(long number)
    {
        lock (_lock)
            return [.. _last.Where(e => e.Number > number)];
    }

    public static bool IsSecret(string name) => Secrets.Any(s => name.Contains(s, StringComparison.OrdinalIgnoreCase));

    private void Add(Exchange exchange)
    {
        lock (_lock)
        {
            if (_last.Count == Max)
                _last.Dequeue();
            _last.Enqueue(exchange with { Number = ++_number, At = time.GetUtcNow() });
        }
    }

    private static List<KeyValuePair<string, string>> Shown(IEnumerable<KeyValuePair<string, string>> fields) =>
        [.. fields.Select(f => KeyValuePair.Create(f.Key, IsSecret(f.Key) && f.Value.Length > 0 ? "***"
            : f.Value.Length > MaxValueLength ? f.Value[..MaxValueLength] + "…" : f.Value))];

    /// <summary>Named as in a form: <c>fields[TITLE]</c>.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Fields(string name, JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(m => Fields(name.Length == 0 ? m.Key : $"{name}[{m.Key}]", m.Value)),
        JsonArray items => items.SelectMany((item, i) => Fields($"{name}[{i}]", item)),
        null => [],
        _ => [new(name, node.ToString())],
    };
}

/// <param name="Kind"><c>launch</c>, <c>event</c> or <c>call</c>.</param>
/// <param name="Fields">Without secrets.</param>
internal sealed record Exchange(
    string Kind, string Title, string Decision, IReadOnlyList<KeyValuePair<string, string>> Fields, long Milliseconds)
{
    public long Number { get; init; }

    public DateTimeOffset At { get; init; }

    /// <summary>Tokens and all: for a replay. Never shown.</summary>
    [JsonIgnore]
    public CapturedRequest? Request { get; init; }

    public bool CanReplay => Request is not null;
}

/// <summary>A feature of requests that are inspected.</summary>
internal sealed class Decision
{
    public string? Text { get; set; }
}

/// <summary>Path and query, and a posted form.</summary>
internal sealed record CapturedRequest(string Address, string Body, string Accept)
{
    /// <summary>What a test or the command <c>replay</c> reads.</summary>
    /// <param name="withTokens">Otherwise zeros stand for every secret: such a file may lie in a repository.</param>
    public string ToPayload(bool withTokens)
    {
        var (path, query) = Address.Split('?', 2) is [var p, var q] ? (p, "?" + q) : (Address, "");
        return withTokens ? $"{Address}\n{Body}\n" : $"{MaskedPath(path)}{Masked(query)}\n{Masked(Body)}\n";
    }

    /// <summary>A segment of such a length is the key of a removal notice.</summary>
    private static string MaskedPath(string path) => string.Join('/', path.Split('/').Select(segment =>
        segment.Length > 32 ? new string('0', segment.Length) : segment));

    private static string Masked(string form) => string.Join('&', form.Split('&').Select(pair =>
        pair.IndexOf('=', StringComparison.Ordinal) is var at and > 0 && Inspections.IsSecret(Uri.UnescapeDataString(pair[..at]))
            ? pair[..(at + 1)] + new string('0', pair.Length - at - 1) : pair));
}
