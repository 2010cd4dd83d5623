namespace Bitrix24Placements.Refusals;

/// <summary>Only what is not verified from memory asks here, so nobody can lock out those who are known.</summary>
/// <remarks>A count-min table of fixed size. Two keys that share both their cells refuse each other too early; chance alone decides
/// which.</remarks>
internal sealed class UnverifiedAttempts(IOptions<LimitsOptions> options, TimeProvider time)
{
    /// <summary>One address may stand for an office full of people.</summary>
    private const int PortalsPerAddress = 10;

    /// <summary>A power of two; 2 MiB of counters.</summary>
    private const int Cells = 1 << 18;

    private readonly long _started = time.GetTimestamp();

    /// <summary>The minute in the upper half, its count in the lower.</summary>
    private readonly long[] _cells = new long[Cells];

    public bool MayTry(HttpContext context, RequestKind kind, string subject)
    {
        var (address, limit) = (ClientAddress.Of(context), options.Value.UnverifiedPerMinute);
        return CountOf(kind, address, "") < limit * PortalsPerAddress && CountOf(kind, address, subject) < limit;
    }

    public void Failed(HttpContext context, RequestKind kind, string subject)
    {
        var address = ClientAddress.Of(context);
        Add(CellsOf(kind, address, ""));
        if (subject.Length > 0)
            Add(CellsOf(kind, address, subject));
    }

    private int Minute => (int)time.GetElapsedTime(_started).TotalMinutes;

    /// <summary>Seeded anew in every process: nobody can choose to share another's cells.</summary>
    private static int[] CellsOf(RequestKind kind, string address, string subject)
    {
        var first = HashCode.Combine(kind, address, subject);
        return [first & (Cells - 1), HashCode.Combine(subject, first, address) & (Cells - 1)];
    }

    private int CountOf(RequestKind kind, string address, string subject) => CellsOf(kind, address, subject).Min(cell =>
        Volatile.Read(ref _cells[cell]) is var value && (int)(value >> 32) == Minute ? (int)value : 0);

    private void Add(int[] cells)
    {
        foreach (var cell in cells)
        {
            long seen, next;
            do
            {
                seen = Volatile.Read(ref _cells[cell]);
                next = (int)(seen >> 32) == Minute ? seen + 1 : ((long)Minute << 32) | 1;
            }
            while (Interlocked.CompareExchange(ref _cells[cell], next, seen) != seen);
        }
    }
}
