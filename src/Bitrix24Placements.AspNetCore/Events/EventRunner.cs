using Bitrix24Placements.Apps;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Events;

internal sealed partial class EventRunner(EventHandlers handlers, AppRegistry apps, IServiceScopeFactory scopes, EventMetrics metrics,
    TimeProvider time, ILogger<EventRunner> logger) : IInboxHandler
{
    public async Task HandleAsync(InboxEvent received, CancellationToken cancellationToken)
    {
        // What cannot be read any more was encrypted with keys that are lost.
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
        [LoggerMessage(1, LogLevel.Warning,
            "{Event} of portal {MemberId} is dropped: there is no handler for it any more, or it cannot be decrypted")]
        public static partial void Dropped(ILogger logger, string @event, PortalId memberId);
    }
}
