using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Events;

internal static class EventServices
{
    public static void AddEvents(this IServiceCollection services) => services
        .AddSingleton<EventMetrics>()
        .AddSingleton<EventHandlers>()
        .AddSingleton<IDeclaredEvents>(p => p.GetRequiredService<EventHandlers>())
        .AddSingleton<InboxStore>()
        .AddSingleton<EventReceiver>()
        .AddSingleton<InstallationsUnderWay>()
        .AddSingleton<SpooledEvents>()
        .AddSingleton<SpooledEventHandler>()
        .AddSingleton<ISpoolHandler>(p => p.GetRequiredService<SpooledEventHandler>())
        .AddSingleton<EventEndpoint>()
        .AddSingleton<IWork, EventWork>();

    public static void MapEvents(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost(AppPaths.Events, endpoints.ServiceProvider.GetRequiredService<EventEndpoint>().ReceiveAsync);
}
