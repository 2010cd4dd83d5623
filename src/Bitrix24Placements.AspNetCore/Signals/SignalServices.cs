using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Signals;

internal static class SignalServices
{
    public static IServiceCollection AddSignals(this IServiceCollection services)
    {
        services.AddSettings<SignalsOptions>(SignalsOptions.Section, static (s, o) => o.Read(s), static (_, o) => o.Problem());
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<PortalSignals>();
        services.AddSingleton<ApiEndpoints>();
        return services;
    }

    public static IEndpointRouteBuilder MapSignals(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapPost("/api/signals", services.GetRequiredService<ApiEndpoints>().SignalAsync);
        endpoints.MapPost("/api/links", services.GetRequiredService<ApiEndpoints>().LinkAsync);
        endpoints.MapGet("/api/context", services.GetRequiredService<ApiEndpoints>().ContextAsync);
        return endpoints;
    }
}
