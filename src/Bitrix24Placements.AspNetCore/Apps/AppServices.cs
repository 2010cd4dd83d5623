using Bitrix24Placements.Settings;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Apps;

internal static class AppServices
{
    public static IServiceCollection AddApps(this IServiceCollection services)
    {
        services.AddSettings<AppsOptions>();
        services.AddSingleton<AppStore>();
        services.AddSingleton<AppRegistry>();
        services.AddSingleton<KeyTroubles>();
        services.AddSingleton<IReadyStep>(p => p.GetRequiredService<AppRegistry>());
        return services;
    }
}
