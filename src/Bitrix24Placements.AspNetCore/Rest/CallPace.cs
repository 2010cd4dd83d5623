namespace Bitrix24Placements.Rest;

/// <summary>A bucket that fills at a steady pace. Whoever finds it empty is given a moment of his own.</summary>
internal sealed class CallPace(double perSecond, int burst, TimeProvider time)
{
    private readonly TimeSpan _apart = TimeSpan.FromSeconds(1 / perSecond);
    private readonly Lock _gate = new();
    private readonly long _origin = time.GetTimestamp();

    /// <summary>When the bucket will be full again, counted from <see cref="_origin"/>.</summary>
    private TimeSpan _fullAt;

    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return _fullAt <= Now;
        }
    }

    public TimeSpan NextIn
    {
        get
        {
            lock (_gate)
                return WaitUntil(_fullAt + _apart);
        }
    }

    private TimeSpan Now => time.GetElapsedTime(_origin);

    /// <summary>One that gives up leaves its moment to the others.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_gate)
        {
            _fullAt = (_fullAt > Now ? _fullAt : Now) + _apart;
            wait = WaitUntil(_fullAt);
        }

        try
        {
            await Task.Delay(wait, time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
                _fullAt -= _apart;
            throw;
        }
    }

    private TimeSpan WaitUntil(TimeSpan fullAt)
    {
        var wait = fullAt - (_apart * burst) - Now;
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }
}
