using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Installation;

/// <summary>However often somebody says the same, he is heard once at a time and with a pause. What comes meanwhile is heard together,
/// after all of it has come: so none is lost, whatever has changed between two of them.</summary>
internal sealed class HeardTogether(TimeSpan pause, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<Rejection?>>> _next = new();

    private readonly ConcurrentDictionary<string, Task> _last = new();

    /// <summary>Whether it is being heard, or was good a moment ago: whoever says it now takes nobody else's turn.</summary>
    public bool IsHeard(string words) => _last.ContainsKey(words);

    public Task<Rejection?> RunAsync(string words, Func<Task<Rejection?>> hear) =>
        _next.GetOrAdd(words, _ => new(() => NextAsync(words, hear))).Value;

    private async Task<Rejection?> NextAsync(string words, Func<Task<Rejection?>> hear)
    {
        if (_last.TryGetValue(words, out var last))
            await last;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _last[words] = ended.Task;
        _next.TryRemove(words, out _);
        Rejection? rejection = Rejection.StoreUnavailable;
        try
        {
            return rejection = await hear();
        }
        finally
        {
            _ = EndAsync(words, ended, isGood: rejection is null);
        }
    }

    private async Task EndAsync(string words, TaskCompletionSource ended, bool isGood)
    {
        if (isGood)
            await Task.Delay(pause, time);
        _last.TryRemove(words, out _);
        ended.SetResult();
    }
}
