using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Refusals;

internal static class RefusalServices
{
    public static void AddRefusals(this IServiceCollection services) => services
        .AddSettings<LimitsOptions>()
        .AddSingleton<RejectionWriter>()
        .AddSingleton<UnverifiedAttempts>()
        .AddSingleton(MemoryWatch.OfProcess())
        .AddSingleton<Places>()
        .AddSingleton<Guard>();
}
