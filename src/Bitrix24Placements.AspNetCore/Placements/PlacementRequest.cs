using System.Reflection;
using System.Text.Json;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

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
    private protected PlacementRequest(PlacementPost post, Believed believed, PortalAddress portal)
    {
        Placement = post.Placement;
        Portal = portal;
        Language = post.Language;
        ApplicationSid = post.ApplicationSid;
        ApplicationStatus = post.ApplicationStatus;
        UserId = believed.User?.UserId;
        Verification = believed.Verification;
        HandlerQuery = post.HandlerQuery;
        Confirmed = believed.User;
        AccessToken = believed.User is null ? default : post.AccessToken;
        Known = believed.Portal;
    }

    public string Placement { get; }

    public PortalAddress Portal { get; }

    /// <summary>The user interface's language in Bitrix24's own codes: <c>la</c> is Spanish, <c>br</c> Portuguese.</summary>
    public string Language { get; }

    public string ApplicationSid { get; }

    public string? ApplicationStatus { get; }

    /// <summary>The portal's user; null unless <see cref="Verification"/> is <see cref="Verification.AccessToken"/>.</summary>
    public long? UserId { get; }

    public Verification Verification { get; }

    /// <summary>Names of the handler's own query string.</summary>
    public IReadOnlyDictionary<string, string> HandlerQuery { get; }

    /// <summary>The user's confirmed token; null where none was confirmed.</summary>
    internal TokenInfo? Confirmed { get; }

    /// <summary>Empty where <see cref="Confirmed"/> is null.</summary>
    internal Secret AccessToken { get; }

    /// <summary>The portal as it is known in memory; null with <c>Verification: Off</c>.</summary>
    internal KnownPortal? Known { get; }

    private protected static T? Of<T>(HttpContext context)
        where T : PlacementRequest => context.Features.Get<PlacementRequest>() as T;
}

/// <summary>The app was opened by a link <c>/marketplace/view/{code}/?params[…]=…</c>.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/app-url.html</remarks>
public sealed record RestAppUriRequest : PlacementRequest
{
    internal RestAppUriRequest(PlacementPost post, Believed believed, PortalAddress portal)
        : base(post, believed, portal)
    {
    }

    public required RestAppUriOptions Options { get; init; }

    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<RestAppUriRequest?> BindAsync(HttpContext context, ParameterInfo parameter) => new(Of<RestAppUriRequest>(context));
}

/// <summary>A page of the portal has loaded the app's hidden frame.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/background-worker.html</remarks>
public sealed record BackgroundWorkerRequest : PlacementRequest
{
    internal BackgroundWorkerRequest(PlacementPost post, Believed believed, PortalAddress portal)
        : base(post, believed, portal)
    {
    }

    public required BackgroundWorkerOptions Options { get; init; }

    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<BackgroundWorkerRequest?> BindAsync(HttpContext context, ParameterInfo parameter) => new(Of<BackgroundWorkerRequest>(context));
}

/// <summary>The app's own page was opened: from the portal's menu, or by <c>BX24.openApplication</c>, as a signal does.</summary>
public sealed record AppPageRequest : PlacementRequest
{
    internal AppPageRequest(PlacementPost post, Believed believed, PortalAddress portal)
        : base(post, believed, portal)
    {
    }

    /// <summary>What <c>BX24.openApplication</c> was given, or the signal; empty from the menu. Like those of a link they grant nothing.</summary>
    public required IReadOnlyDictionary<string, JsonElement> Parameters { get; init; }

    internal static Dictionary<string, JsonElement> Read(byte[]? json)
    {
        var parameters = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (json is not null)
        {
            foreach (var member in JsonElement.Parse(json).EnumerateObject())
                parameters[member.Name] = member.Value;
        }

        return parameters;
    }

    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<AppPageRequest?> BindAsync(HttpContext context, ParameterInfo parameter) => new(Of<AppPageRequest>(context));
}
