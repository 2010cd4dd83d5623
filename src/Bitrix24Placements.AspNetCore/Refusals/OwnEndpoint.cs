namespace Bitrix24Placements.Refusals;

/// <summary>Only their answers are the library's business, everything else is the host's.</summary>
internal sealed class OwnEndpoint;

internal static class EndpointConventions
{
    /// <summary>A host's own endpoint at the same address comes first.</summary>
    public static TBuilder GivesWay<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithOrder(1000);

    /// <summary>Bitrix24's Market asks so whether there is anything at an address.</summary>
    public static TBuilder AnswersHead<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(e =>
        {
            if (e.RequestDelegate is not { } post
                || e.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault()?.HttpMethods is not [var method] || !HttpMethods.IsPost(method))
                return;
            e.Metadata.Add(new HttpMethodMetadata([HttpMethods.Post, HttpMethods.Head]));
            e.RequestDelegate = context => HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : post(context);
        });
        return endpoints;
    }
}
