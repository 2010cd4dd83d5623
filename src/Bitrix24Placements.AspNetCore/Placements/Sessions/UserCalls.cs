using System.Diagnostics.CodeAnalysis;

namespace Bitrix24Placements;

/// <summary>REST calls as the user of a page, with his own rights. His token is not refreshed here: the page renews its session.</summary>
public static class UserCalls
{
    /// <summary>Calls a method as the user of the page that has sent this request.</summary>
    public static Task<RestResult<JsonElement>> CallAsUserAsync(
        this RestClient rest, PageSession session, RestCall call, CancellationToken cancellationToken = default) =>
        rest.CallAsUserAsync(session.Access, call, cancellationToken);

    /// <summary>Calls a method as the user who has opened this page; refused as <c>noUser</c> where none was confirmed, as in the
    /// worker.</summary>
    public static Task<RestResult<JsonElement>> CallAsUserAsync(
        this RestClient rest, PlacementRequest request, RestCall call, CancellationToken cancellationToken = default) =>
        rest.CallAsUserAsync(request.Access, call, cancellationToken);

    /// <inheritdoc cref="CallAsUserAsync(RestClient, PageSession, RestCall, CancellationToken)" path="/summary"/>
    /// <param name="method">E.g. <c>crm.timeline.comment.add</c>.</param>
    /// <param name="parameters">An object whose properties are the method's parameters, e.g. <c>new { id = 1 }</c>, a dictionary or a
    /// <see cref="JsonObject"/>.</param>
    [RequiresUnreferencedCode(RestClient.Reflects)]
    [RequiresDynamicCode(RestClient.Reflects)]
    public static Task<RestResult<JsonElement>> CallAsUserAsync(
        this RestClient rest, PageSession session, string method, object? parameters = null,
        CancellationToken cancellationToken = default) =>
        rest.CallAsUserAsync<JsonElement>(session.Access, method, parameters, cancellationToken);

    /// <inheritdoc cref="CallAsUserAsync(RestClient, PlacementRequest, RestCall, CancellationToken)" path="/summary"/>
    /// <inheritdoc cref="CallAsUserAsync(RestClient, PageSession, string, object, CancellationToken)" path="/param"/>
    [RequiresUnreferencedCode(RestClient.Reflects)]
    [RequiresDynamicCode(RestClient.Reflects)]
    public static Task<RestResult<JsonElement>> CallAsUserAsync(
        this RestClient rest, PlacementRequest request, string method, object? parameters = null,
        CancellationToken cancellationToken = default) =>
        rest.CallAsUserAsync<JsonElement>(request.Access, method, parameters, cancellationToken);

    /// <summary>Calls a method as the user of the page that has sent this request, and reads its result as
    /// <typeparamref name="T"/>.</summary>
    /// <inheritdoc cref="CallAsUserAsync(RestClient, PageSession, string, object, CancellationToken)" path="/param"/>
    [RequiresUnreferencedCode(RestClient.Reflects)]
    [RequiresDynamicCode(RestClient.Reflects)]
    public static Task<RestResult<T>> CallAsUserAsync<T>(
        this RestClient rest, PageSession session, string method, object? parameters = null,
        CancellationToken cancellationToken = default) =>
        rest.CallAsUserAsync<T>(session.Access, method, parameters, cancellationToken);

    /// <summary>Calls a method as the user who has opened this page, and reads its result as <typeparamref name="T"/>.</summary>
    /// <inheritdoc cref="CallAsUserAsync(RestClient, PageSession, string, object, CancellationToken)" path="/param"/>
    [RequiresUnreferencedCode(RestClient.Reflects)]
    [RequiresDynamicCode(RestClient.Reflects)]
    public static Task<RestResult<T>> CallAsUserAsync<T>(
        this RestClient rest, PlacementRequest request, string method, object? parameters = null,
        CancellationToken cancellationToken = default) =>
        rest.CallAsUserAsync<T>(request.Access, method, parameters, cancellationToken);
}
