using Bitrix24Placements.Events;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

internal static class InstallationServices
{
    public static IServiceCollection AddInstallation(this IServiceCollection services)
    {
        services.AddSingleton<InstallationMetrics>();
        services.AddSingleton<Administrators>();
        services.AddSingleton<AdministratorVisits>();
        services.AddSingleton<AddressChecks>();
        services.AddSingleton<ILaunchListener, LaunchListener>();
        services.AddSingleton<IAppEvents, InstallEvents>();
        services.AddSingleton<SystemUsers>();
        services.AddSingleton<EventBindings>();
        services.AddSingleton<KeyCheck>();
        services.AddSingleton<Reconciler>();
        services.AddSingleton<Installer>();
        services.AddSingleton<InstallationRun>();
        services.AddSingleton<ReconcileWork>();
        services.AddSingleton<IWork>(static p => p.GetRequiredService<ReconcileWork>());
        services.AddSingleton<IWork, LookWork>();
        services.AddSingleton<IWork, UninstallWork>();
        services.AddSingleton<IWork, AddressWork>();
        services.AddSingleton<IWork, PendingInstallWork>();
        services.AddHostedService<Upkeep>();
        services.AddSingleton<InstallEndpoint>();
        services.AddSingleton<InstallPage>();
        services.AddSingleton<AppPage>();
        services.AddSingleton<HomePage>();
        services.AddSingleton<RemovalNotices>();
        services.AddSingleton<ISpoolHandler>(static p => p.GetRequiredService<RemovalNotices>());
        return services;
    }

    public static IEndpointRouteBuilder MapInstallation(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapPost(AppPaths.Install, services.GetRequiredService<InstallEndpoint>().ReceiveAsync);
        endpoints.MapPost(AppPaths.Removed + "{key}", services.GetRequiredService<RemovalNotices>().ReceiveAsync);
        endpoints.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], services.GetRequiredService<HomePage>().ShowAsync).GivesWay();
        endpoints.MapBuiltIn<AppPageRequest>(PlacementCatalogue.Default, services.GetRequiredService<AppPage>().ShowAsync);
        return endpoints;
    }
}
