using Bitrix24Placements.Events;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

internal static class InstallationServices
{
    public static void AddInstallation(this IServiceCollection services) => services
        .AddSingleton<InstallationMetrics>()
        .AddSingleton<Administrators>()
        .AddSingleton<AdministratorVisits>()
        .AddSingleton<ILaunchListener, LaunchListener>()
        .AddSingleton<IAppEvents, InstallEvents>()
        .AddSingleton<SystemUsers>()
        .AddSingleton<EventBindings>()
        .AddSingleton<KeyCheck>()
        .AddSingleton<Reconciler>()
        .AddSingleton<Installer>()
        .AddSingleton<RenewedInstallations>()
        .AddSingleton<ISpoolHandler>(p => p.GetRequiredService<RenewedInstallations>())
        .AddSingleton<InstallationRun>()
        .AddSingleton<ReconcileWork>()
        .AddSingleton<IWork>(p => p.GetRequiredService<ReconcileWork>())
        .AddSingleton<IWork, LookWork>()
        .AddSingleton<IWork, UninstallWork>()
        .AddSingleton<IWork, AddressWork>()
        .AddSingleton<IWork, PendingInstallWork>()
        .AddHostedService<Upkeep>()
        .AddSingleton<InstallEndpoint>()
        .AddSingleton<InstallPageParts>()
        .AddSingleton<AppPage>()
        .AddSingleton<Permissions>()
        .AddSingleton<HomePage>()
        .AddSingleton<RemovalNotices>()
        .AddSingleton<ISpoolHandler>(p => p.GetRequiredService<RemovalNotices>());

    public static void MapInstallation(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapPost(AppPaths.Install, services.GetRequiredService<InstallEndpoint>().ReceiveAsync);
        endpoints.MapPost(AppPaths.Removed + "{key}", services.GetRequiredService<RemovalNotices>().ReceiveAsync);
        endpoints.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], services.GetRequiredService<HomePage>().ShowAsync).GivesWay();
        endpoints.MapBuiltIn<AppPageRequest>(PlacementCatalogue.Default, services.GetRequiredService<AppPage>().ShowAsync);
    }
}
