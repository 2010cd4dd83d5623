using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Refusals;

/// <summary>Marks the endpoints that every page of every user loads: they are the last to be shed.</summary>
internal sealed class WorkerLoad
{
    public static readonly WorkerLoad Instance = new();
}

/// <summary>Marks what tells an orchestrator that the service is alive: restarting it because it has much to do would make that worse.</summary>
internal sealed class NeverShed
{
    public static readonly NeverShed Instance = new();
}

/// <summary>Beyond what can be answered in time, 503 at once is better than anybody waiting for five seconds.</summary>
internal sealed class LoadShedding(RequestDelegate next, IOptions<LimitsOptions> options, RejectionWriter rejections)
{
    private readonly Room _requests = new(options.Value.ConcurrentRequests);
    private readonly Room _workerLoads = new(options.Value.ConcurrentWorkerLoads);

    private sealed class Room(int most)
    {
        private int _running;

        public bool TryEnter()
        {
            if (Interlocked.Increment(ref _running) <= most)
                return true;
            Leave();
            return false;
        }

        public void Leave() => Interlocked.Decrement(ref _running);
    }

    public Task InvokeAsync(HttpContext context)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        return metadata?.GetMetadata<WorkerLoad>() is not null ? InvokeAsync(context, _workerLoads)
            : metadata?.GetMetadata<NeverShed>() is not null ? next(context)
            : InvokeAsync(context, _requests);
    }

    private async Task InvokeAsync(HttpContext context, Room room)
    {
        if (!room.TryEnter())
        {
            await rejections.WriteAsync(context, Rejection.Overloaded);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            room.Leave();
        }
    }
}
