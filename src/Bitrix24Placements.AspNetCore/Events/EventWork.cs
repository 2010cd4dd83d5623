using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Events;

/// <summary>What keeps failing is tried for a day, and keeps later ones waiting: their order is a promise.</summary>
internal sealed partial class EventWork(
    InboxStore inbox, WorkStore work, PortalStore portals, SpooledEvents spooled, EventHandlers handlers, AppRegistry apps,
    IServiceScopeFactory scopes, EventMetrics metrics, TimeProvider time, ILogger<EventWork> logger) : IWork
{
    /// <summary>Then it is another portal's turn.</summary>
    private const int MaxInARow = 20;

    private static readonly TimeSpan GivenUpAfter = TimeSpan.FromDays(1);

    /// <summary>During an update, an instance of the newer version has the handler that is missing here.</summary>
    private static readonly TimeSpan LeftToOthersFor = TimeSpan.FromMinutes(1);

    /// <summary>What came while the database was away is carried over by then, unless there is no room for it.</summary>
    private static readonly TimeSpan MaxWaitForSpool = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan LookAtSpoolEvery = TimeSpan.FromSeconds(1);

    public string Kind => WorkKind.Events;

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        await inbox.ForgetHandledAsync(item.Id, cancellationToken);
        for (var i = 0; i < MaxInARow; i++)
        {
            // While this instance was stopped, another may have taken the portal's events.
            if (!await work.IsHeldAsync(item, cancellationToken))
                return WorkResult.Again(TimeSpan.Zero);
            if (await inbox.NextAsync(item.Id, cancellationToken) is not { } next)
                return WorkResult.Done;
            // The first waits for its next attempt, and another has come.
            if (next.DueIn > TimeSpan.Zero)
                return WorkResult.Again(next.DueIn);
            if (await FollowsSpooledAsync(next, cancellationToken))
                return WorkResult.Again(LookAtSpoolEvery);
            if (await TryHandleAsync(next, cancellationToken) is { } pause)
            {
                await inbox.RetryAsync(next, pause, cancellationToken);
                return WorkResult.Again(pause);
            }
        }

        return WorkResult.Again(TimeSpan.Zero);
    }

    private async Task<bool> FollowsSpooledAsync(InboxEvent next, CancellationToken cancellationToken) => !spooled.IsEmpty
        && next.ReceivedAt is { } receivedAt && time.GetUtcNow() - receivedAt < MaxWaitForSpool
        && await portals.FindAsync(next.Id, cancellationToken) is { } portal && spooled.HasEventsBefore(portal, receivedAt);

    /// <returns>Until the next attempt; null where there is nothing more to do.</returns>
    private async Task<TimeSpan?> TryHandleAsync(InboxEvent next, CancellationToken cancellationToken)
    {
        if (handlers.Find(next.Name) is null && next.TriedFor < LeftToOthersFor)
            return Pauses.LeftToOthers();
        if (next.Payload.Length == 0)
        {
            Log.PutAside(logger, next.Name, next.Id);
            await inbox.PutAsideAsync(next, cancellationToken);
            return null;
        }

        try
        {
            await HandleAsync(next, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Somebody else's code: whatever it throws, the event is kept.
            if (next.TriedFor < GivenUpAfter)
            {
                Log.Failed(logger, e, next.Name, next.Id);
                return Pauses.Growing(next.Attempt, 1, 10, 60, 600, 3600);
            }

            Log.GivenUp(logger, e, next.Name, next.Id);
            await inbox.FailAsync(next, cancellationToken);
            return null;
        }

        await inbox.CompleteAsync(next, cancellationToken);
        return null;
    }

    private async Task HandleAsync(InboxEvent received, CancellationToken cancellationToken)
    {
        if (handlers.Find(received.Name) is not { } handler || StoredEvent.Read(received.Payload) is not { } stored)
        {
            Log.Dropped(logger, received.Name, received.Id);
            return;
        }

        var started = time.GetTimestamp();
        var outcome = "failed";
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            await handler(scope.ServiceProvider, RequestOf(received.Id, stored), cancellationToken);
            outcome = "ok";
        }
        finally
        {
            metrics.Handled(outcome, time.GetElapsedTime(started));
        }
    }

    private object RequestOf(PortalId id, StoredEvent stored)
    {
        var portal = new PortalAddress(id, stored.Domain, stored.Protocol);
        var app = apps.InfoOf(id);
        return stored.Name switch
        {
            StoredEvent.Installed => new InstalledEvent(stored.Id, portal, app),
            StoredEvent.Uninstalled => new UninstalledEvent(stored.Id, portal, app, stored.Clean),
            _ => new EventRequest
            {
                Id = stored.Id,
                Name = stored.Name,
                Portal = portal,
                App = app,
                UserId = stored.UserId,
                Timestamp = DateTimeOffset.FromUnixTimeSeconds(stored.Timestamp),
                Data = stored.Data ?? default,
            },
        };
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The handler of event {Name} of portal {MemberId} failed; it is called again")]
        public static partial void Failed(ILogger logger, Exception exception, string name, PortalId memberId);

        [LoggerMessage(
            2, LogLevel.Error, "The handler of event {Name} of portal {MemberId} has failed for a day; the event is kept as failed")]
        public static partial void GivenUp(ILogger logger, Exception exception, string name, PortalId memberId);

        [LoggerMessage(3, LogLevel.Warning,
            "{Event} of portal {MemberId} is dropped: there is no handler for it any more")]
        public static partial void Dropped(ILogger logger, string @event, PortalId memberId);

        [LoggerMessage(4, LogLevel.Error,
            "{Event} of portal {MemberId} cannot be decrypted: it is put aside for a month, and handled when its key is there again")]
        public static partial void PutAside(ILogger logger, string @event, PortalId memberId);
    }
}
