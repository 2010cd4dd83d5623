using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Work;

/// <summary>An exception: the event is handed over again.</summary>
internal interface IInboxHandler
{
    Task HandleAsync(InboxEvent received, CancellationToken cancellationToken);
}

/// <summary>One that keeps failing is tried for a day, and keeps the later ones waiting: their order is a promise.</summary>
internal sealed partial class InboxWork(InboxStore inbox, IEnumerable<IInboxHandler> handlers, TimeProvider time, ILogger<InboxWork> logger)
    : IWork
{
    /// <summary>Then it is another portal's turn.</summary>
    private const int MaxInARow = 20;

    private static readonly TimeSpan GivenUpAfter = TimeSpan.FromDays(1);

    private readonly IInboxHandler? _handler = handlers.SingleOrDefault();

    public string Kind => WorkKind.Events;

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        for (var i = 0; i < MaxInARow; i++)
        {
            if (await inbox.NextAsync(item.Id, cancellationToken) is not { } next)
                return WorkResult.Done;
            // Another event has come while this one is waiting for its next attempt.
            if (next.DueIn > TimeSpan.Zero)
                return WorkResult.Again(next.DueIn);
            if (!await TryHandleAsync(next, cancellationToken))
                return WorkResult.Again(PauseAfter(next));
        }

        return WorkResult.Again(TimeSpan.Zero);
    }

    private async Task<bool> TryHandleAsync(InboxEvent next, CancellationToken cancellationToken)
    {
        try
        {
            if (_handler is not null)
                await _handler.HandleAsync(next, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // A handler is somebody else's code: whatever it throws, the event is kept.
            var isGivenUp = time.GetUtcNow() - next.ReceivedAt >= GivenUpAfter;
            if (isGivenUp)
            {
                Log.GivenUp(logger, e, next.Name, next.Id);
                await inbox.FailAsync(next, cancellationToken);
            }
            else
            {
                Log.Failed(logger, e, next.Name, next.Id);
                await inbox.RetryAsync(next, PauseAfter(next), cancellationToken);
            }

            return isGivenUp;
        }

        await inbox.CompleteAsync(next, cancellationToken);
        return true;
    }

    private static TimeSpan PauseAfter(InboxEvent tried) => Pauses.Growing(tried.Attempt, 1, 10, 60, 600, 3600);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The handler of event {Name} of portal {MemberId} failed; it is called again")]
        public static partial void Failed(ILogger logger, Exception exception, string name, PortalId memberId);

        [LoggerMessage(
            2, LogLevel.Error, "The handler of event {Name} of portal {MemberId} has failed for a day; the event is kept as failed")]
        public static partial void GivenUp(ILogger logger, Exception exception, string name, PortalId memberId);
    }
}
