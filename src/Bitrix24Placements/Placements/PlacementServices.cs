using Bitrix24Placements.Hosting;
using Bitrix24Placements.Placements.BackgroundWorker;
using Bitrix24Placements.Placements.RestAppUri;

namespace Bitrix24Placements.Placements;

public static class PlacementServices
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
        services.AddSingleton<RemovalNotices>();
        services.AddSingleton<WorkerLoads>();
        services.AddHostedService(static p => p.GetRequiredService<WorkerLoads>());
        return services;
    }

    /// <summary>The placements' addresses. Which code answers is said by <c>MapRestAppUri</c>, <c>MapBackgroundWorker</c> and <c>MapAppPage</c>.</summary>
    public static IEndpointRouteBuilder MapPlacements(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var pipeline = services.GetRequiredService<PlacementPipeline>();
        endpoints.MapPost(PlacementCatalogue.RestAppUriPath, (RequestDelegate)(context => pipeline.ServeAsync(context, PlacementPipeline.RestAppUri)));
        endpoints.MapPost(PlacementCatalogue.BackgroundWorkerPath, (RequestDelegate)(context => pipeline.ServeAsync(context, PlacementPipeline.BackgroundWorker))).WithMetadata(WorkerLoad.Instance);
        endpoints.MapPost("/placements", (RequestDelegate)(context => pipeline.ServeAsync(context, PlacementPipeline.Either))).WithMetadata(WorkerLoad.Instance);
        endpoints.MapPost("/", (RequestDelegate)(context => pipeline.ServeAsync(context, PlacementPipeline.AppPage)));
        endpoints.MapPost(PlacementCatalogue.RemovedPath + "{key}", (RequestDelegate)(context => services.GetRequiredService<RemovalNotices>().ReceiveAsync(context)));
        return endpoints;
    }

    /// <summary>The pages that come with the service. Made when they are asked for, but for the worker's: that is what the start is for.</summary>
    public static IEndpointRouteBuilder MapBuiltInPages(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapRestAppUri((context, request) => services.GetRequiredService<RestAppUriPage>().ShowAsync(context, request));
        endpoints.MapBackgroundWorker(services.GetRequiredService<WorkerPage>().ShowAsync);
        endpoints.MapAppPage((context, request) => services.GetRequiredService<Installation.AppPage>().ShowAsync(context, request));
        return endpoints;
    }
}
