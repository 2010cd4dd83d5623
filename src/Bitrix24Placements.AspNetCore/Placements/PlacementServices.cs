using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Placements;

internal static class PlacementServices
{
    public static void AddPlacements(this IServiceCollection services) => services
        .AddSingleton<PlacementCatalogue>()
        .AddSingleton<PlacementMetrics>()
        .AddSingleton<ConfirmedTokens>()
        .AddSingleton<Confirmations>()
        .AddSingleton<LaunchVerifier>()
        .AddSingleton<LaunchServices>()
        .AddSingleton<PlacementPipeline>()
        .AddSingleton<RestAppUriPage>()
        .AddSingleton<WorkerPage>()
        .AddSingleton<SessionRenewal>()
        .AddSingleton(p => new PageSessions(
            p.GetRequiredService<TokenKeys>().Provider, p.GetRequiredService<PortalStore>(), p.GetRequiredService<AppRegistry>(),
            p.GetRequiredService<ServedPortals>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new DeepLinks(p.GetRequiredService<AppRegistry>()))
        .AddHosted<WorkerLoads>();

    public static void MapPlacements(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapBuiltIn<RestAppUriRequest>(PlacementCatalogue.RestAppUri, services.GetRequiredService<RestAppUriPage>().ShowAsync);
        endpoints.MapBuiltIn<BackgroundWorkerRequest>(
            PlacementCatalogue.BackgroundWorker, services.GetRequiredService<WorkerPage>().ShowAsync);
        var (pipeline, catalogue) = (services.GetRequiredService<PlacementPipeline>(), services.GetRequiredService<PlacementCatalogue>());
        endpoints.MapPost(AppPaths.Placements, context => pipeline.ServeAsync(context, catalogue.All));
        endpoints.MapPost(AppPaths.Session, services.GetRequiredService<SessionRenewal>().RenewAsync);
    }
}
