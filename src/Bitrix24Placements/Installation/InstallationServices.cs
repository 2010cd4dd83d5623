namespace Bitrix24Placements.Installation;

public static class InstallationServices
{
    public static IServiceCollection AddInstallation(this IServiceCollection services)
    {
        services.AddSingleton<InstallationMetrics>();
        services.AddSingleton<WorkSignal>();
        services.AddSingleton<AddressChecks>();
        services.AddSingleton<AdministratorVisits>();
        services.AddSingleton<AppEvents>();
        services.AddSingleton<Reconciler>();
        services.AddSingleton<Installer>();
        services.AddSingleton<ReconcileWork>();
        services.AddSingleton<IWork>(static p => p.GetRequiredService<ReconcileWork>());
        services.AddSingleton<IWork, UninstallWork>();
        services.AddSingleton<IWork, AddressWork>();
        services.AddSingleton<IWork, PendingInstallWork>();
        services.AddSingleton<WorkLoop>();
        services.AddHostedService(static p => p.GetRequiredService<WorkLoop>());
        services.AddHostedService<Upkeep>();
        services.AddSingleton<InstallEndpoint>();
        services.AddSingleton<EventEndpoint>();
        services.AddSingleton<InstallPage>();
        services.AddSingleton<AppPage>();
        return services;
    }

    public static IEndpointRouteBuilder MapInstallation(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapPost("/install", (RequestDelegate)(context => services.GetRequiredService<InstallEndpoint>().ReceiveAsync(context)));
        endpoints.MapPost(Placements.PlacementCatalogue.EventsPath, (RequestDelegate)(context => services.GetRequiredService<EventEndpoint>().ReceiveAsync(context)));
        return endpoints;
    }
}
