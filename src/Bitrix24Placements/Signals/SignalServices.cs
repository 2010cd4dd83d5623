namespace Bitrix24Placements.Signals;

public static class SignalServices
{
    public static IServiceCollection AddSignals(this IServiceCollection services)
    {
        services.AddSingleton<PageSessions>();
        services.AddSingleton<DeepLinks>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<PortalSignals>();
        services.AddSingleton<ApiEndpoints>();
        return services;
    }

    public static IEndpointRouteBuilder MapSignals(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.ServiceProvider.GetRequiredService<ApiEndpoints>();
        endpoints.MapPost("/api/signals", (RequestDelegate)api.SignalAsync);
        endpoints.MapPost("/api/links", (RequestDelegate)api.LinkAsync);
        endpoints.MapGet("/api/context", (RequestDelegate)api.ContextAsync);
        return endpoints;
    }
}
