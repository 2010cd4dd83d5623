namespace Bitrix24Placements.Portals;

internal static class PortalServices
{
    public static IServiceCollection AddPortals(this IServiceCollection services) => services
        .AddSingleton<PortalDirectory>()
        .AddSingleton<PortalStore>()
        .AddSingleton<PortalCensus>();
}
