namespace Bitrix24Placements.Rest;

internal sealed class PortalTurn(SemaphoreSlim free) : IDisposable
{
    public void Dispose() => free.Release();
}

/// <summary>How fast the calls of a portal follow each other, how many wait, how many are under way.</summary>
internal sealed class PortalQueue(double perSecond, int burst, TimeProvider time)
{
    /// <summary>Of each lane.</summary>
    public const int MaxWaiting = 32;

    /// <summary>Of each lane: so many connections a silent portal holds.</summary>
    public const int MaxUnderWay = 16;

    public static readonly RestError NotInTime = RestError.Unavailable("The portal's limit of calls per second left no room in time.");

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    private readonly CallPace _all = new(perSecond, burst, time);

    /// <summary>Users' calls take at most half of what the portal allows.</summary>
    private readonly CallPace _users = new(perSecond / 2, Math.Max(1, burst / 2), time);

    /// <summary>By lane.</summary>
    private readonly int[] _waiting = new int[3];
    private readonly SemaphoreSlim[] _free = [new(MaxUnderWay), new(MaxUnderWay), new(MaxUnderWay)];

    public bool IsIdle => _all.IsIdle && _users.IsIdle
        && Array.TrueForAll(_waiting, static w => w == 0) && Array.TrueForAll(_free, static f => f.CurrentCount == MaxUnderWay);

    public async Task<RestResult<PortalTurn>> EnterAsync(CallLane kind, TimeSpan left, CancellationToken cancellationToken)
    {
        var (free, lane) = (_free[(int)kind], (int)kind);
        if (left <= TimeSpan.Zero)
            return NotInTime;
        if (Interlocked.Increment(ref _waiting[lane]) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting[lane]);
            return RestError.TooMany(_all.NextIn);
        }

        using var timeout = new CancellationTokenSource(left < MaxWait ? left : MaxWait, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await free.WaitAsync(deadline.Token);
            var turn = new PortalTurn(free);
            try
            {
                if (kind == CallLane.User)
                    await _users.WaitAsync(deadline.Token);
                await _all.WaitAsync(deadline.Token);
                return turn;
            }
            catch
            {
                turn.Dispose();
                throw;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return NotInTime;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting[lane]);
        }
    }
}
