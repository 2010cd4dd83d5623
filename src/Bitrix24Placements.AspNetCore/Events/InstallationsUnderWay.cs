namespace Bitrix24Placements.Events;

/// <summary>What comes with the application_token of an installation that is just being confirmed waits for that, as Bitrix24 sends each
/// once. Other processes do not know of it.</summary>
internal sealed class InstallationsUnderWay(TimeProvider time)
{
    /// <summary>Anybody can say that he is installing the app.</summary>
    private const int MaxWaiting = 4;

    /// <summary>The OAuth server, the portal and the database have answered by then, or do not.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<(string MemberId, string ApplicationToken), UnderWay> _underWay = new();

    public async Task<T> RunAsync<T>(string memberId, Secret applicationToken, Func<Task<T>> install)
    {
        var (key, mine) = ((memberId, applicationToken.Reveal()), new UnderWay());
        _underWay[key] = mine;
        try
        {
            return await install();
        }
        finally
        {
            _underWay.TryRemove(new(key, mine));
            mine.Ended.SetResult();
        }
    }

    public async Task WaitAsync(string memberId, Secret applicationToken)
    {
        if (_underWay.TryGetValue((memberId, applicationToken.Reveal()), out var underWay)
            && Interlocked.Increment(ref underWay.Waiting) <= MaxWaiting)
            await underWay.Ended.Task.WaitAsync(Timeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private sealed class UnderWay
    {
        public int Waiting;

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
