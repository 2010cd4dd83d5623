using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements;

/// <summary>The seam for one's own code. A handler gets a request that is verified already, and returns a page or any other result;
/// security headers are set before it runs and may be replaced by it. What is mapped is registered with every portal that has the
/// app.</summary>
public static class PlacementEndpoints
{
    private const string Reflection = BoundHandler.Reflection;

    /// <summary>Answers REST_APP_URI, a link in any text, with a minimal API handler: <c>(RestAppUriRequest request, MyStore store) =>
    /// …</c>.</summary>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static PlacementBuilder MapRestAppUri(this IEndpointRouteBuilder endpoints, Delegate handler) =>
        endpoints.Map(PlacementCatalogue.RestAppUri, handler);

    /// <summary>Answers REST_APP_URI, a link in any text.</summary>
    public static PlacementBuilder MapRestAppUri(
        this IEndpointRouteBuilder endpoints, Func<HttpContext, RestAppUriRequest, ValueTask> handler) =>
        endpoints.Map(PlacementCatalogue.RestAppUri, handler);

    /// <summary>Answers PAGE_BACKGROUND_WORKER with a minimal API handler. It runs on every page of every user: anything slower than five
    /// seconds, ten times a day, and Bitrix24 removes it.</summary>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static PlacementBuilder MapBackgroundWorker(this IEndpointRouteBuilder endpoints, Delegate handler) =>
        endpoints.Map(PlacementCatalogue.BackgroundWorker, handler);

    /// <inheritdoc cref="MapBackgroundWorker(IEndpointRouteBuilder, Delegate)"/>
    public static PlacementBuilder MapBackgroundWorker(
        this IEndpointRouteBuilder endpoints, Func<HttpContext, BackgroundWorkerRequest, ValueTask> handler) =>
        endpoints.Map(PlacementCatalogue.BackgroundWorker, handler);

    /// <summary>Answers the app's own page with a minimal API handler.</summary>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static PlacementBuilder MapAppPage(this IEndpointRouteBuilder endpoints, Delegate handler) =>
        endpoints.Map(PlacementCatalogue.Default, handler);

    /// <summary>Answers the app's own page.</summary>
    public static PlacementBuilder MapAppPage(this IEndpointRouteBuilder endpoints, Func<HttpContext, AppPageRequest, ValueTask> handler) =>
        endpoints.Map(PlacementCatalogue.Default, handler);

    /// <summary>Answers any placement of Bitrix24 with a minimal API handler: <c>(PlacementRequest&lt;DealTab&gt; request) =>
    /// …</c>.</summary>
    /// <param name="code">E.g. <c>CRM_DEAL_DETAIL_TAB</c>; its address is <c>/placements/crm-deal-detail-tab</c>.</param>
    /// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/placements.html</remarks>
    /// <exception cref="ArgumentException">Not a code: upper case letters, digits and <c>_</c>.</exception>
    /// <exception cref="InvalidOperationException">The placement has a handler already, or this one cannot be given what it asks
    /// for.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static PlacementBuilder MapPlacement(this IEndpointRouteBuilder endpoints, string code, Delegate handler) =>
        endpoints.Map(Checked(code), handler);

    /// <inheritdoc cref="MapPlacement(IEndpointRouteBuilder, string, Delegate)" path="/*[not(self::summary)]"/>
    /// <summary>Answers any placement of Bitrix24.</summary>
    public static PlacementBuilder MapPlacement(
        this IEndpointRouteBuilder endpoints, string code, Func<HttpContext, PlacementRequest, ValueTask> handler) =>
        endpoints.Map(Checked(code), handler);

    /// <inheritdoc cref="MapPlacement(IEndpointRouteBuilder, string, Func{HttpContext, PlacementRequest, ValueTask})"/>
    /// <param name="options">Of a source-generated context, whose options say how numbers and missing members are taken.</param>
    public static PlacementBuilder MapPlacement<T>(
        this IEndpointRouteBuilder endpoints, string code, JsonTypeInfo<T> options,
        Func<HttpContext, PlacementRequest<T>, ValueTask> handler) =>
        endpoints.Map(new(
            Checked(code), OptionsReader.Typed(options), (context, request) => handler(context, (PlacementRequest<T>)request).AsTask()));

    /// <summary>Answers where nobody maps his own, before or after this.</summary>
    internal static PlacementBuilder MapBuiltIn<T>(this IEndpointRouteBuilder endpoints, string code, Func<HttpContext, T, Task> page)
        where T : PlacementRequest =>
        endpoints.Map(new(code, OptionsReader.Default(code).Read, (context, request) => page(context, (T)request), IsBuiltIn: true));

    private static PlacementBuilder Map<T>(this IEndpointRouteBuilder endpoints, string code, Func<HttpContext, T, ValueTask> handler)
        where T : PlacementRequest =>
        endpoints.Map(new(code, OptionsReader.Default(code).Read, (context, request) => handler(context, (T)request).AsTask()));

    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    private static PlacementBuilder Map(this IEndpointRouteBuilder endpoints, string code, Delegate handler)
    {
        var read = OptionsReader.For(code, handler);
        var bound = BoundHandler.Of(code, handler, endpoints.ServiceProvider);
        return endpoints.Map(new(code, read, (context, request) =>
        {
            // Where BindAsync finds it.
            context.Features.Set(request);
            return bound(context);
        }));
    }

    private static PlacementBuilder Map(this IEndpointRouteBuilder endpoints, MappedPlacement placement)
    {
        var catalogue = endpoints.ServiceProvider.GetRequiredService<PlacementCatalogue>();
        var pipeline = endpoints.ServiceProvider.GetRequiredService<PlacementPipeline>();
        catalogue.Add(placement);
        var expected = new PlacementExpectation(placement.Code);
        var endpoint = endpoints.MapPost(MappedPlacement.PathOf(placement.Code), context => pipeline.ServeAsync(context, expected))
            .WithMetadata(new OwnEndpoint());
        // HEAD of the app's own page is the home page's.
        if (placement.Code != PlacementCatalogue.Default)
            endpoint.AnswersHead();
        // Whoever maps his own page, before the built-in one or after it, has the address.
        if (placement.IsBuiltIn)
            endpoint.WithOrder(1);
        return new(catalogue.TitlesOf(placement.Code), endpoint);
    }

    private static string Checked(string code) =>
        code is { Length: > 0 and <= 100 } && code != PlacementCatalogue.Default
            && code.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_')
            ? code
            : throw new ArgumentException(
                $"'{code}' is not a placement's code: upper case letters, digits and _ are expected.", nameof(code));
}
