using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Placements;

internal static class PlacementServices
{
    public static IServiceCollection AddPlacements(this IServiceCollection services)
    {
        services.AddSingleton<PlacementCatalogue>();
        services.AddSingleton<PlacementHandlers>();
        services.AddSingleton<PlacementMetrics>();
        services.AddSingleton<ConfirmedTokens>();
        services.AddSingleton<LaunchVerifier>();
        services.AddSingleton<PlacementPipeline>();
        services.AddSingleton<RestAppUriPage>();
        services.AddSingleton<WorkerPage>();
        services.AddSingleton(static p => new PageSessions(
            p.GetRequiredService<TokenKeys>().Provider, p.GetRequiredService<PortalStore>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static p => new DeepLinks(p.GetRequiredService<AppRegistry>()));
        services.AddSingleton<WorkerLoads>();
        services.AddHostedService(static p => p.GetRequiredService<WorkerLoads>());
        return services;
    }

    /// <summary>The placements' addresses, with the built-in pages behind them until <c>MapRestAppUri</c> or <c>MapBackgroundWorker</c> say otherwise.</summary>
    public static IEndpointRouteBuilder MapPlacements(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var pipeline = services.GetRequiredService<PlacementPipeline>();
        endpoints.MapPost(AppPaths.RestAppUri, context => pipeline.ServeAsync(context, PlacementPipeline.RestAppUri));
        endpoints.MapPost(AppPaths.BackgroundWorker, context => pipeline.ServeAsync(context, PlacementPipeline.BackgroundWorker))
            .WithMetadata(WorkerLoad.Instance);
        endpoints.MapPost(AppPaths.Placements, context => pipeline.ServeAsync(context, PlacementPipeline.Either)).WithMetadata(WorkerLoad.Instance);
        endpoints.MapPost("/", context => pipeline.ServeAsync(context, PlacementPipeline.AppPage));
        endpoints.MapRestAppUri(services.GetRequiredService<RestAppUriPage>().ShowAsync);
        endpoints.MapBackgroundWorker(services.GetRequiredService<WorkerPage>().ShowAsync);
        return endpoints;
    }
}
