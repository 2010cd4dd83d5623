namespace Bitrix24Placements.Events;

/// <summary>What comes with the application_token of an installation that is just being confirmed waits for that, as Bitrix24 sends each
/// once. Other processes do not know of it.</summary>
internal sealed class InstallationsUnderWay(TimeProvider time)
{
    /// <summary>At a time: anybody can say that he is installing the app.</summary>
    private const int MaxWaiting = 16;

    /// <summary>The OAuth server, the portal and the database have answered by then, or do not.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();

    private readonly Dictionary<(string MemberId, string ApplicationToken), UnderWay> _underWay = [];

    public async Task<T> RunAsync<T>(string memberId, Secret applicationToken, Func<Task<T>> install)
    {
        var key = (memberId, applicationToken.Reveal());
        UnderWay? all;
        lock (_lock)
        {
            if (!_underWay.TryGetValue(key, out all))
                _underWay.Add(key, all = new());
            all.Running++;
        }

        try
        {
            return await install();
        }
        finally
        {
            lock (_lock)
            {
                if (--all.Running == 0 && _underWay.Remove(key))
                    all.Ended.SetResult();
            }
        }
    }

    public async Task WaitAsync(string memberId, Secret applicationToken)
    {
        UnderWay? all;
        lock (_lock)
        {
            if (!_underWay.TryGetValue((memberId, applicationToken.Reveal()), out all) || all.Waiting == MaxWaiting)
                return;
            all.Waiting++;
        }

        await all.Ended.Task.WaitAsync(Timeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
            all.Waiting--;
    }

    /// <summary>Of one application_token: who makes one up beside the genuine one does not end it.</summary>
    private sealed class UnderWay
    {
        public int Running { get; set; }

        public int Waiting { get; set; }

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
