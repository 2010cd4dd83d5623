using System.Reflection;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

public enum Verification
{
    /// <summary>Nothing was verified: <c>Bitrix24:Verification</c> is <c>Off</c>, or a portal too old to send an application_token opened the worker.</summary>
    None,

    /// <summary>Somebody with access to the portal; who, is not known.</summary>
    ApplicationToken,

    /// <summary>The OAuth server has named the user.</summary>
    AccessToken,
}

/// <summary>A placement was opened, and what is said here is believed as far as <see cref="Verification"/> says. Handlers take it as a parameter.</summary>
public abstract record PlacementRequest
{
    public required string Placement { get; init; }

    public required PortalAddress Portal { get; init; }

    /// <summary>The user interface's language in Bitrix24's own codes: <c>la</c> is Spanish, <c>br</c> Portuguese.</summary>
    public required string Language { get; init; }

    public required string ApplicationSid { get; init; }

    public string? ApplicationStatus { get; init; }

    /// <summary>The portal's user; null unless <see cref="Verification"/> is <see cref="Verification.AccessToken"/>.</summary>
    public long? UserId { get; init; }

    public required Verification Verification { get; init; }

    /// <summary>Names of the handler's own query string.</summary>
    public required IReadOnlyDictionary<string, string> HandlerQuery { get; init; }

    /// <summary>The user's confirmed token, for calls on his behalf with <see cref="RestClient.CallAsUserAsync"/>; null where none was confirmed.</summary>
    public TokenInfo? Confirmed { get; init; }

    /// <summary>Empty where <see cref="Confirmed"/> is null.</summary>
    public Secret AccessToken { get; init; }

    /// <summary>The portal as it is known in memory; null with <c>Verification: Off</c>.</summary>
    internal KnownPortal? Known { get; init; }

    private protected static T? Of<T>(HttpContext context)
        where T : PlacementRequest => context.Features.Get<PlacementRequest>() as T;
}

/// <summary>The app was opened by a link <c>/marketplace/view/{code}/?params[…]=…</c>, or by <c>BX24.openApplication</c>.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/app-url.html</remarks>
public sealed record RestAppUriRequest : PlacementRequest
{
    public required RestAppUri.RestAppUriOptions Options { get; init; }

    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<RestAppUriRequest?> BindAsync(HttpContext context, ParameterInfo parameter) => new(Of<RestAppUriRequest>(context));
}

/// <summary>A page of the portal has loaded the app's hidden frame.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/background-worker.html</remarks>
public sealed record BackgroundWorkerRequest : PlacementRequest
{
    public required BackgroundWorker.BackgroundWorkerOptions Options { get; init; }

    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<BackgroundWorkerRequest?> BindAsync(HttpContext context, ParameterInfo parameter) => new(Of<BackgroundWorkerRequest>(context));
}

/// <summary>The app's own page was opened from the portal's menu.</summary>
public sealed record AppPageRequest : PlacementRequest
{
    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<AppPageRequest?> BindAsync(HttpContext context, ParameterInfo parameter) => new(Of<AppPageRequest>(context));
}
