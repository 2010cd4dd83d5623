using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Events;

internal static class EventServices
{
    public static IServiceCollection AddEvents(this IServiceCollection services)
    {
        services.AddSingleton<EventMetrics>();
        services.AddSingleton<EventHandlers>();
        services.AddSingleton<IDeclaredEvents>(static p => p.GetRequiredService<EventHandlers>());
        services.AddSingleton<Inbox>();
        services.AddSingleton<EventReceiver>();
        services.AddSingleton<EventSpool>();
        services.AddSingleton<ISpoolHandler>(static p => p.GetRequiredService<EventSpool>());
        services.AddSingleton<EventEndpoint>();
        services.AddSingleton<IInboxHandler, EventRunner>();
        return services;
    }

    public static void MapEvents(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost(AppPaths.Events, endpoints.ServiceProvider.GetRequiredService<EventEndpoint>().ReceiveAsync);
}
