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
        endpoints.MapPost("/api/signals", (RequestDelegate)(context => services.GetRequiredService<ApiEndpoints>().SignalAsync(context)));
        endpoints.MapPost("/api/links", (RequestDelegate)(context => services.GetRequiredService<ApiEndpoints>().LinkAsync(context)));
        endpoints.MapGet("/api/context", (RequestDelegate)(context => services.GetRequiredService<ApiEndpoints>().ContextAsync(context)));
        return endpoints;
    }
}
