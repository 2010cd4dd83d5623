using System.Diagnostics.CodeAnalysis;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

/// <summary>Calls REST methods with a portal's stored tokens. Refreshes, waits, repeats and follows a moved portal by itself;
/// what may not be repeated is not.</summary>
/// <remarks>https://apidocs.bitrix24.com/settings/how-to-call-rest-api/index.html</remarks>
public sealed partial class RestClient
{
    internal const string Reflects =
        "Serializes by reflection; use the overload with a RestCall where code is trimmed or compiled ahead of time.";

    private static readonly RestError NoUser =
        new(RestErrorKind.Refused, "noUser", "This request names no user: nothing can be called as him.");

    private readonly RestParts _parts;

    internal RestClient(RestParts parts) => _parts = parts;

    /// <summary>Calls a method and reads its result as <typeparamref name="T"/>.</summary>
    /// <param name="method">E.g. <c>crm.deal.get</c>.</param>
    /// <param name="parameters">An object whose properties are the method's parameters, e.g. <c>new { id = 1 }</c>, a dictionary or a <see
    /// cref="JsonObject"/>.</param>
    /// <param name="repeat">Whether the call may be sent again when its outcome is unknown.</param>
    /// <exception cref="ArgumentException">The parameters are no object, but a list or a single value.</exception>
    [RequiresUnreferencedCode(Reflects)]
    [RequiresDynamicCode(Reflects)]
    public async Task<RestResult<T>> CallAsync<T>(
        PortalId id, string method, object? parameters = null, Repeat repeat = Repeat.ByName,
        CancellationToken cancellationToken = default) =>
        Read<T>(await CallAsync(id, Call(method, parameters, repeat), cancellationToken), method);

    /// <summary>Calls a method with the portal's stored tokens.</summary>
    public async Task<RestResult<JsonElement>> CallAsync(PortalId id, RestCall call, CancellationToken cancellationToken)
    {
        var usable = await _parts.Tokens.UsableAsync(id, cancellationToken);
        return usable.Ok
            ? await new Conversation(_parts, call, new(usable.Value), usable.Value).RunAsync(cancellationToken) : usable.Error;
    }

    [RequiresUnreferencedCode(Reflects)]
    [RequiresDynamicCode(Reflects)]
    internal async Task<RestResult<T>> CallAsUserAsync<T>(
        UserAccess? user, string method, object? parameters, CancellationToken cancellationToken) =>
        user is null ? NoUser
            : Read<T>(await CallAsUserAsync(user, Call(method, parameters, Repeat.ByName), cancellationToken), method);

    /// <summary>Nothing is refreshed.</summary>
    internal async Task<RestResult<JsonElement>> CallAsUserAsync(
        UserAccess? user, RestCall call, CancellationToken cancellationToken) =>
        user is null ? NoUser : await new Conversation(_parts, call, user).RunAsync(cancellationToken);

    [RequiresUnreferencedCode(Reflects)]
    [RequiresDynamicCode(Reflects)]
    private static RestCall Call(string method, object? parameters, Repeat repeat)
    {
        var json = parameters is null ? null
            : parameters as JsonObject ?? JsonSerializer.SerializeToNode(parameters) as JsonObject
            ?? throw new ArgumentException(
                $"The parameters of {method} have to be an object with a property for each of them.", nameof(parameters));
        return new(method, json) { Repeat = repeat };
    }

    [RequiresUnreferencedCode(Reflects)]
    [RequiresDynamicCode(Reflects)]
    private static RestResult<T> Read<T>(RestResult<JsonElement> result, string method)
    {
        if (!result.Ok)
            return result.Error;
        try
        {
            if (result.Value.Deserialize<T>(JsonSerializerOptions.Web) is { } value)
                return value;
            // A null is a value only where T has a word for it that a caller has to look at.
            if (Nullable.GetUnderlyingType(typeof(T)) is not null)
                return new RestResult<T>(default, null);
        }
        catch (JsonException)
        {
        }

        return new RestError(RestErrorKind.Refused, "unexpectedResult", $"The result of {method} cannot be read as {typeof(T).Name}.");
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Portal {MemberId} has moved; its new address is confirmed and kept")]
        public static partial void Moved(ILogger logger, PortalId memberId);
    }
}

internal sealed record RestParts(
    TokenRefresher Tokens, PortalTransport Transport, PortalLimits Limits, OAuthClient OAuth, HostRules Hosts, PortalStore Store,
    TimeProvider Time, ILogger<RestClient> Logger);
