using Bitrix24Placements.Refusals;

namespace Bitrix24Placements;

/// <summary>Endpoints for one's own pages.</summary>
public static class PageSessionEndpoints
{
    /// <summary>Opens an endpoint, or all of a group, to the app's own pages alone: to requests with <c>Authorization: Bearer
    /// {session}</c>. Any other is answered 401 before the body is read. Handlers take a <see cref="PageSession"/> as a
    /// parameter.</summary>
    public static TBuilder RequirePageSession<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint =>
        {
            if (endpoint.RequestDelegate is { } next)
                endpoint.RequestDelegate = context => EnterAsync(context, next);
        });
        return builder;
    }

    private static async Task EnterAsync(HttpContext context, RequestDelegate next)
    {
        var services = context.RequestServices;
        if (await services.GetRequiredService<PageSessions>().ReadAsync(context) is not { } session)
        {
            await services.GetRequiredService<Guard>().RefuseAsync(context, RequestKind.Api, "", Rejection.Unauthorized);
            return;
        }

        // Where BindAsync finds it.
        context.Features.Set(session);
        await next(context);
    }
}
