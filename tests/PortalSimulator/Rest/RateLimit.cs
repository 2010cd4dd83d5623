namespace Bitrix24Placements.PortalSimulator;

/// <summary>Bitrix24's counter: every call adds one, two drain away each second, over 50 is refused. Per source address.</summary>
public sealed class RateLimit
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (double Level, long At)> _buckets = [];
    private readonly TimeProvider _time;

    internal RateLimit(TimeProvider time) => _time = time;

    public bool On { get; set; }

    public double PerSecond { get; set; } = 2;

    public double Burst { get; set; } = 50;

    /// <summary>Forgets every call so far.</summary>
    public void Reset()
    {
        lock (_gate) _buckets.Clear();
    }

    internal bool Allows(string source)
    {
        if (!On) return true;
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            var (level, at) = _buckets.GetValueOrDefault(source, (0, now));
            level = Math.Max(0, level - (_time.GetElapsedTime(at, now).TotalSeconds * PerSecond));
            var allowed = level + 1 <= Burst;
            _buckets[source] = (allowed ? level + 1 : level, now);
            return allowed;
        }
    }
}
