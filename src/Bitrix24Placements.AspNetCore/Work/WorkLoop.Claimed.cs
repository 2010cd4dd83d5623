namespace Bitrix24Placements.Work;

internal sealed partial class WorkLoop
{
    private static readonly TimeSpan RenewEvery = WorkStore.Lease / 3;
    private static readonly TimeSpan LookForEndEvery = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<(PortalId Id, string Kind), bool> _held = new();

    /// <summary>Returns when filed work is done or put off, by whomever; at once where none is.</summary>
    /// <param name="run">To see its progress.</param>
    public async Task RunNowAsync(
        PortalId id, string kind, Func<WorkItem, CancellationToken, Task<WorkResult>> run, CancellationToken cancellationToken)
    {
        while (true)
        {
            var isHeld = _held.ContainsKey((id, kind));
            if (!isHeld && await store.ClaimAsync(id, kind, cancellationToken) is { } item)
            {
                await RunClaimedAsync(item, run, cancellationToken);
                return;
            }

            if (!isHeld && !await store.IsRunningAsync(id, kind, cancellationToken))
                return;
            await Task.Delay(LookForEndEvery, Time, cancellationToken);
        }
    }

    private async Task RunClaimedAsync(
        WorkItem item, Func<WorkItem, CancellationToken, Task<WorkResult>> run, CancellationToken cancellationToken)
    {
        // The database was away for longer than the lease of what still runs here: this claim has renewed that.
        if (!_held.TryAdd((item.Id, item.Kind), true))
            return;
        try
        {
            await NoteAsync(item, await RunRenewingAsync(item, run, cancellationToken));
        }
        finally
        {
            _held.TryRemove((item.Id, item.Kind), out _);
        }
    }

    private async Task<WorkResult> RunRenewingAsync(
        WorkItem item, Func<WorkItem, CancellationToken, Task<WorkResult>> run, CancellationToken cancellationToken)
    {
        using var running = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // A stop does not end it: what cannot be cut off is still this instance's.
        using var renewing = new CancellationTokenSource();
        var renewal = RenewAsync(item, running, renewing.Token);
        try
        {
            return await run(item, running.Token);
        }
        catch (OperationCanceledException) when (running.IsCancellationRequested)
        {
            // Where the lease is lost, this changes nothing.
            return WorkResult.Again(TimeSpan.Zero);
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            Log.StoreFailed(logger, e.Message);
            return WorkResult.Again(Pauses.Growing(item.Attempt, 2, 5, 10, 30));
        }
        catch (Exception e)
        {
            Log.Failed(logger, e, item.Kind, item.Id);
            return WorkResult.Again(Pauses.AfterSilence(item.Attempt));
        }
        finally
        {
            await renewing.CancelAsync();
            await renewal;
        }
    }

    private async Task NoteAsync(WorkItem item, WorkResult result)
    {
        try
        {
            if (result.Pause is { } pause)
                await store.PostponeAsync(item, pause, result.Payload, CancellationToken.None);
            else
                await store.CompleteAsync(item, CancellationToken.None);
        }
        catch (DbException e)
        {
            // The lease runs out, and it is done once more.
            Log.StoreFailed(logger, e.Message);
        }
    }

    /// <param name="running">Ended where the lease has run out, and another instance goes on.</param>
    private async Task RenewAsync(WorkItem item, CancellationTokenSource running, CancellationToken cancellationToken)
    {
        var troubled = false;
        while (true)
        {
            try
            {
                await Task.Delay(RenewEvery, Time, cancellationToken);
                if (!await store.RenewAsync(item, cancellationToken))
                {
                    Log.TakenOver(logger, item.Kind, item.Id);
                    await running.CancelAsync();
                    return;
                }

                troubled = false;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (DbException e)
            {
                if (!troubled)
                    Log.StoreFailed(logger, e.Message);
                troubled = true;
            }
        }
    }
}
