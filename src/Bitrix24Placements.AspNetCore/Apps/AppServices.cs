using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Apps;

internal static class AppServices
{
    public static IServiceCollection AddApps(this IServiceCollection services)
    {
        services.AddSettings<AppsOptions>(AppsOptions.Section, static (s, o) => o.Read(s), static (_, o) => o.Problem());
        services.AddSingleton<AppRegistry>();
        services.AddSingleton<KeyTroubles>();
        return services;
    }
}
