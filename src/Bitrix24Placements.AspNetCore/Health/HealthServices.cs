using Bitrix24Placements.Refusals;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Health;

internal static class HealthServices
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static IServiceCollection AddHealth(this IServiceCollection services) => services
        .AddSettings<ManagementOptions>()
        .AddSingleton<HealthEndpoints>();

    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        var health = endpoints.ServiceProvider.GetRequiredService<HealthEndpoints>();
        endpoints.MapMethods("/health/live", GetAndHead, HealthEndpoints.LiveAsync).GivesWay();
        endpoints.MapMethods("/health/ready", GetAndHead, health.ReadyAsync).GivesWay();
    }
}
