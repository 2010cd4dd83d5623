using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Placements;

internal static class PlacementServices
{
    public static IServiceCollection AddPlacements(this IServiceCollection services)
    {
        services.AddSingleton<PlacementCatalogue>();
        services.AddSingleton<PlacementMetrics>();
        services.AddSingleton<ConfirmedTokens>();
        services.AddSingleton<Confirmations>();
        services.AddSingleton<LaunchVerifier>();
        services.AddSingleton<LaunchServices>();
        services.AddSingleton<PlacementPipeline>();
        services.AddSingleton<RestAppUriPage>();
        services.AddSingleton<WorkerPage>();
        services.AddSingleton<SessionRenewal>();
        services.AddSingleton(static p => new PageSessions(
            p.GetRequiredService<TokenKeys>().Provider, p.GetRequiredService<PortalStore>(), p.GetRequiredService<AppRegistry>(),
            p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static p => new DeepLinks(p.GetRequiredService<AppRegistry>()));
        services.AddSingleton<WorkerLoads>();
        services.AddHostedService(static p => p.GetRequiredService<WorkerLoads>());
        return services;
    }

    /// <summary>The placements' addresses, with the built-in pages where nobody has mapped his own.</summary>
    public static IEndpointRouteBuilder MapPlacements(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapBuiltIn<RestAppUriRequest>(PlacementCatalogue.RestAppUri, services.GetRequiredService<RestAppUriPage>().ShowAsync);
        endpoints.MapBuiltIn<BackgroundWorkerRequest>(
            PlacementCatalogue.BackgroundWorker, services.GetRequiredService<WorkerPage>().ShowAsync);
        var (pipeline, catalogue) = (services.GetRequiredService<PlacementPipeline>(), services.GetRequiredService<PlacementCatalogue>());
        endpoints.MapPost(AppPaths.Placements, context => pipeline.ServeAsync(context, catalogue.All));
        endpoints.MapPost(AppPaths.Session, services.GetRequiredService<SessionRenewal>().RenewAsync);
        return endpoints;
    }
}
