using System.Collections;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>A thread-safe record of what happened, in order; a test can wait for an entry instead of sleeping.</summary>
public sealed class Journal<T> : IReadOnlyList<T>
{
    private readonly Lock _gate = new();
    private readonly List<T> _entries = [];
    private TaskCompletionSource _changed = NewSource();

    public int Count
    {
        get { lock (_gate) return _entries.Count; }
    }

    public T this[int index]
    {
        get { lock (_gate) return _entries[index]; }
    }

    public IEnumerator<T> GetEnumerator()
    {
        List<T> snapshot;
        lock (_gate) snapshot = [.. _entries];
        return snapshot.GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Forgets what has been so far.</summary>
    public void Clear()
    {
        lock (_gate) _entries.Clear();
    }

    /// <summary>Ends when at least <paramref name="count"/> entries match, now or later.</summary>
    /// <exception cref="TimeoutException">Nothing at all has happened for a minute.</exception>
    public async Task<IReadOnlyList<T>> WaitAsync(Func<T, bool> matches, int count = 1, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            List<T> found;
            Task changed;
            lock (_gate)
            {
                found = [.. _entries.Where(matches)];
                changed = _changed.Task;
            }
            if (found.Count >= count) return found;
            await changed.WaitAsync(TimeSpan.FromMinutes(1), cancellationToken);
        }
    }

    internal void Add(T entry)
    {
        lock (_gate) _entries.Add(entry);
        Touch();
    }

    /// <summary>Says that an entry already in here has changed.</summary>
    internal void Touch()
    {
        TaskCompletionSource changed;
        lock (_gate) (changed, _changed) = (_changed, NewSource());
        changed.SetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
