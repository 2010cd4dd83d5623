namespace Bitrix24Placements.Refusals;

/// <summary>Each kind of what waits is bounded; this is for the sum of all.</summary>
/// <param name="max">In bytes of the managed heap.</param>
internal sealed class MemoryWatch(long max)
{
    /// <summary>The rest is for what the server and the runtime hold, and for what is being done.</summary>
    private const double Part = 0.6;

    /// <summary>In milliseconds: as often the heap is asked for its size.</summary>
    private const int Interval = 20;

    private long _askedAt;
    private volatile bool _isShort;

    public bool IsShort
    {
        get
        {
            var now = Environment.TickCount64;
            if (now - Volatile.Read(ref _askedAt) >= Interval)
            {
                Volatile.Write(ref _askedAt, now);
                _isShort = GC.GetTotalMemory(forceFullCollection: false) > max;
            }

            return _isShort;
        }
    }

    /// <summary>What the runtime may use: in a container three quarters of its limit.</summary>
    public static MemoryWatch OfProcess() => new((long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * Part));
}
