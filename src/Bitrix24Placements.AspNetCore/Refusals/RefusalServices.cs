using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Refusals;

internal static class RefusalServices
{
    public static IServiceCollection AddRefusals(this IServiceCollection services)
    {
        services.AddSettings<LimitsOptions>(LimitsOptions.Section, static (s, o) => o.Read(s), static (_, o) => o.Problem());
        services.AddSingleton<RejectionWriter>();
        services.AddSingleton<UnverifiedAttempts>();
        services.AddSingleton<Places>();
        services.AddSingleton<Guard>();
        return services;
    }
}
