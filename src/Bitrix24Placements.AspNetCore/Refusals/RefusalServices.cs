using Bitrix24Placements.Settings;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Bitrix24Placements.Refusals;

internal static class RefusalServices
{
    public static void AddRefusals(this IServiceCollection services)
    {
        // The door of a host asks it, too.
        services.TryAddSingleton(MemoryWatch.OfProcess());
        services.AddSettings<LimitsOptions>()
            .AddSingleton<RejectionWriter>()
            .AddSingleton<UnverifiedAttempts>()
            .AddSingleton<Places>()
            .AddSingleton<Guard>();
    }
}
