using Bitrix24Placements.Settings;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Apps;

internal static class AppServices
{
    public static IServiceCollection AddApps(this IServiceCollection services) => services
        .AddSettings<AppsOptions>()
        .AddSingleton<AppStore>()
        .AddSingleton<AppRegistry>()
        .AddSingleton<KeyTroubles>()
        .AddSingleton<IReadyStep>(p => p.GetRequiredService<AppRegistry>());
}
