using Bitrix24Placements.Placements;

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
        builder.Add(static endpoint =>
        {
            if (endpoint.RequestDelegate is { } next)
                endpoint.RequestDelegate = context => SessionGate.EnterAsync(context, next);
        });
        return builder;
    }
}
