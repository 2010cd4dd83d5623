using System.Diagnostics;

namespace Bitrix24Placements.Storage;

internal sealed class RunningTasks
{
    private readonly ConcurrentDictionary<Task, long> _tasks = new();

    public int Count => _tasks.Count;

    public int CountYoungerThan(TimeSpan age) => _tasks.Values.Count(started => Stopwatch.GetElapsedTime(started) < age);

    public Task All => Task.WhenAll(_tasks.Keys);

    public void Add(Task task, Action? ended = null)
    {
        _tasks[task] = Stopwatch.GetTimestamp();
        _ = EndAsync();

        async Task EndAsync()
        {
            await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _tasks.TryRemove(task, out _);
            ended?.Invoke();
        }
    }

    /// <summary>Gives up when cancelled: what runs has to bear that.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) =>
        await All.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
