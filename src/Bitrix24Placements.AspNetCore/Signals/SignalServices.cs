using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Signals;

internal static class SignalServices
{
    public static void AddSignals(this IServiceCollection services) => services
        .AddSettings<SignalsOptions>()
        .AddSingleton<ApiKeys>()
        .AddSingleton<PortalSignals>()
        .AddSingleton<ApiEndpoints>();

    public static void MapSignals(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.ServiceProvider.GetRequiredService<ApiEndpoints>();
        endpoints.MapPost("/api/signals", api.SignalAsync);
        endpoints.MapPost("/api/links", api.LinkAsync);
        endpoints.MapGet("/api/context", api.ContextAsync);
    }
}
