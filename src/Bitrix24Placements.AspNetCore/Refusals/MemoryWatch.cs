namespace Bitrix24Placements.Refusals;

/// <summary>Each kind of what waits is bounded; this is for the sum of all, and for what waits for a processor.</summary>
/// <param name="available">In bytes: to the managed heap.</param>
internal sealed class MemoryWatch(long available)
{
    /// <summary>The rest is for what has come in already.</summary>
    private const double ShortFrom = 0.6, FullFrom = 0.7;

    /// <summary>In milliseconds: as often the heap is asked for its size.</summary>
    private const int Interval = 20;

    private long _askedAt;
    private double _used;

    public long Available => available;

    /// <summary>Then who holds something already gets no more.</summary>
    public bool IsShort => Used >= ShortFrom;

    public bool IsFull => Used >= FullFrom;

    private double Used
    {
        get
        {
            var now = Environment.TickCount64;
            if (now - Volatile.Read(ref _askedAt) >= Interval)
            {
                Volatile.Write(ref _askedAt, now);
                Volatile.Write(ref _used, (double)GC.GetTotalMemory(forceFullCollection: false) / available);
            }

            return Volatile.Read(ref _used);
        }
    }

    /// <summary>In a container the runtime takes three quarters of its limit.</summary>
    public static MemoryWatch OfProcess() => new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
}
