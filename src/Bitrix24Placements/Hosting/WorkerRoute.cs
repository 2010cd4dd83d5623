using Bitrix24Placements.Placements;

namespace Bitrix24Placements.Hosting;

/// <summary>Knows the endpoint of the worker's page by its path, so that the router has nothing left to find: it goes by whatever endpoint is there already.</summary>
/// <remarks>Nothing is asked for so often, and the first page after a start need not wait until the router has made its tables. Any other method, or spelling of the path, is the router's.</remarks>
public sealed class WorkerRoute(RequestDelegate next, IEndpointRouteBuilder endpoints)
{
    private readonly Lazy<RouteEndpoint?> _worker = new(() => Find(endpoints));

    public Task Invoke(HttpContext context)
    {
        if (HttpMethods.IsPost(context.Request.Method) && context.Request.Path.Value == PlacementCatalogue.BackgroundWorkerPath)
            context.SetEndpoint(_worker.Value);
        return next(context);
    }

    /// <summary>Null where an app has not mapped it.</summary>
    private static RouteEndpoint? Find(IEndpointRouteBuilder endpoints) => endpoints.DataSources.SelectMany(static s => s.Endpoints).OfType<RouteEndpoint>()
        .FirstOrDefault(static e => e.RoutePattern.RawText == PlacementCatalogue.BackgroundWorkerPath);
}
