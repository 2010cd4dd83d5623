namespace Bitrix24Placements.PortalSimulator;

/// <summary>Bitrix24 removes a worker with its 11th load over 5 seconds within a day.</summary>
internal sealed class SlowLoadCounter(TimeProvider time)
{
    private const int Allowed = 10;
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Queue<DateTimeOffset> _loads = new();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                Forget();
                return _loads.Count;
            }
        }
    }

    /// <summary>True when this load was one too many; the count starts anew then.</summary>
    public bool Add(TimeSpan load)
    {
        if (load <= Slow) return false;
        lock (_gate)
        {
            Forget();
            _loads.Enqueue(time.GetUtcNow());
            if (_loads.Count <= Allowed) return false;
            _loads.Clear();
            return true;
        }
    }

    public void Reset()
    {
        lock (_gate) _loads.Clear();
    }

    private void Forget()
    {
        var day = time.GetUtcNow() - TimeSpan.FromDays(1);
        while (_loads.TryPeek(out var oldest) && oldest <= day) _loads.Dequeue();
    }
}
