using System.Diagnostics.CodeAnalysis;
using Bitrix24Placements.Placements;

namespace Bitrix24Placements;

/// <summary>Which code answers which placement, once its request is believed.</summary>
public sealed class PlacementHandlers
{
    private readonly Dictionary<string, Func<HttpContext, PlacementRequest, Task>> _handlers = new(StringComparer.Ordinal);

    internal void Set(string placement, Func<HttpContext, PlacementRequest, Task> handler) => _handlers[placement] = handler;

    internal Task HandleAsync(HttpContext context, PlacementRequest request) => _handlers[request.Placement](context, request);
}

/// <summary>The seam for one's own code. A handler gets a request that is verified already, and returns a page or any other result; security headers are set before it runs and may be replaced by it.</summary>
public static class PlacementHandlerExtensions
{
    private const string Reflection = "Binds the handler's parameters by reflection; use the overload with a typed function where code is trimmed.";

    /// <summary>Answers REST_APP_URI with a minimal API handler, e.g. <c>(RestAppUriRequest request, MyStore store) => Results.Content(…)</c>.</summary>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static IEndpointRouteBuilder MapRestAppUri(this IEndpointRouteBuilder endpoints, Delegate handler) => Map(endpoints, PlacementCatalogue.RestAppUri, Create(endpoints, handler));

    /// <summary>Answers REST_APP_URI.</summary>
    public static IEndpointRouteBuilder MapRestAppUri(this IEndpointRouteBuilder endpoints, Func<HttpContext, RestAppUriRequest, Task> handler) =>
        Map(endpoints, PlacementCatalogue.RestAppUri, (context, request) => handler(context, (RestAppUriRequest)request));

    /// <summary>Answers PAGE_BACKGROUND_WORKER with a minimal API handler. It runs on every page of every user: anything slower than five seconds, ten times a day, and Bitrix24 removes it.</summary>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static IEndpointRouteBuilder MapBackgroundWorker(this IEndpointRouteBuilder endpoints, Delegate handler) => Map(endpoints, PlacementCatalogue.BackgroundWorker, Create(endpoints, handler));

    /// <summary>Answers PAGE_BACKGROUND_WORKER.</summary>
    public static IEndpointRouteBuilder MapBackgroundWorker(this IEndpointRouteBuilder endpoints, Func<HttpContext, BackgroundWorkerRequest, Task> handler) =>
        Map(endpoints, PlacementCatalogue.BackgroundWorker, (context, request) => handler(context, (BackgroundWorkerRequest)request));

    /// <summary>Answers the app's own page.</summary>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static IEndpointRouteBuilder MapAppPage(this IEndpointRouteBuilder endpoints, Delegate handler) => Map(endpoints, PlacementCatalogue.Default, Create(endpoints, handler));

    /// <summary>Answers the app's own page.</summary>
    public static IEndpointRouteBuilder MapAppPage(this IEndpointRouteBuilder endpoints, Func<HttpContext, AppPageRequest, Task> handler) =>
        Map(endpoints, PlacementCatalogue.Default, (context, request) => handler(context, (AppPageRequest)request));

    private static IEndpointRouteBuilder Map(IEndpointRouteBuilder endpoints, string placement, Func<HttpContext, PlacementRequest, Task> handler)
    {
        endpoints.ServiceProvider.GetRequiredService<PlacementHandlers>().Set(placement, handler);
        return endpoints;
    }

    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    private static Func<HttpContext, PlacementRequest, Task> Create(IEndpointRouteBuilder endpoints, Delegate handler)
    {
        var bound = RequestDelegateFactory.Create(handler, new RequestDelegateFactoryOptions { ServiceProvider = endpoints.ServiceProvider }).RequestDelegate;
        return (context, request) =>
        {
            // Where BindAsync finds it.
            context.Features.Set(request);
            return bound(context);
        };
    }
}
