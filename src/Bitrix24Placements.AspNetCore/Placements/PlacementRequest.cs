using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

public enum Verification
{
    /// <summary>Nothing was verified: <c>Bitrix24:Verification</c> is <c>Off</c>, or a portal too old to send an application_token opened
    /// the worker.</summary>
    None,

    /// <summary>Somebody with access to the portal; who, is not known.</summary>
    ApplicationToken,

    /// <summary>The OAuth server has named the user.</summary>
    AccessToken,
}

/// <summary>A placement was opened, and what is said here is believed as far as <see cref="Verification"/> says. Handlers take it as a
/// parameter, or the type of their own placement.</summary>
public abstract class PlacementRequest
{
    private readonly Launch _launch;

    private protected PlacementRequest(Launch launch) => _launch = launch;

    /// <summary>The placement's code; <c>DEFAULT</c> for the app's own page.</summary>
    public string Placement => _launch.Post.Placement;

    public PortalAddress Portal => _launch.Portal;

    /// <summary>Which of this service's apps was opened.</summary>
    public AppInfo App => field ??= _launch.Services.Apps.InfoOf(Portal.Id);

    /// <summary>The user interface's language in Bitrix24's own codes: <c>la</c> is Spanish, <c>br</c> Portuguese.</summary>
    public string Language => _launch.Post.Language;

    public string ApplicationSid => _launch.Post.ApplicationSid;

    public string? ApplicationStatus => _launch.Post.ApplicationStatus;

    /// <summary>The portal's user; null unless <see cref="Verification"/> is <see cref="Verification.AccessToken"/>.</summary>
    public long? UserId => Confirmed?.UserId;

    public Verification Verification => _launch.Believed.Verification;

    /// <summary>Names of the handler's own query string.</summary>
    public IReadOnlyDictionary<string, string> HandlerQuery => _launch.Post.HandlerQuery;

    /// <summary>A session of this page's user, as text for the page; empty where no user was confirmed. See
    /// <see cref="PageSessions"/>.</summary>
    public string Session => field ??= _launch.Services.Sessions.Create(this);

    internal TokenInfo? Confirmed => _launch.Believed.User;

    /// <summary>As whom one's own calls are made; null where no user was confirmed.</summary>
    internal UserAccess? Access =>
        Confirmed is { } user ? new(user, _launch.Post.AccessToken) : null;

    internal KnownPortal? Known => _launch.Believed.Portal;

    internal byte[] RawOptions => _launch.Post.Options;

    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<PlacementRequest?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(Of<PlacementRequest>(context));

    private protected static T? Of<T>(HttpContext context)
        where T : PlacementRequest => context.Features.Get<PlacementRequest>() as T;
}

/// <summary>The app was opened by a link <c>/marketplace/view/{code}/?params[…]=…</c>.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/app-url.html</remarks>
public sealed class RestAppUriRequest : PlacementRequest
{
    internal RestAppUriRequest(Launch launch)
        : base(launch) => Options = RestAppUriOptions.Read(RawOptions);

    public RestAppUriOptions Options { get; }

    public static new ValueTask<RestAppUriRequest?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(Of<RestAppUriRequest>(context));
}

/// <summary>A page of the portal has loaded the app's hidden frame.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/universal/background-worker.html</remarks>
public sealed class BackgroundWorkerRequest : PlacementRequest
{
    internal BackgroundWorkerRequest(Launch launch)
        : base(launch)
    {
    }

    /// <summary>Read when somebody asks: the built-in page, loaded on every page of every user, does not.</summary>
    public BackgroundWorkerOptions Options => field ??= BackgroundWorkerOptions.Read(RawOptions);

    public static new ValueTask<BackgroundWorkerRequest?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(Of<BackgroundWorkerRequest>(context));
}

/// <summary>The app's own page was opened: from the portal's menu, or by <c>BX24.openApplication</c>, as a signal does.</summary>
public sealed class AppPageRequest : PlacementRequest
{
    internal AppPageRequest(Launch launch)
        : base(launch) => Parameters = LaunchParameters.Read(RawOptions);

    /// <summary>What <c>BX24.openApplication</c> was given, or the signal; empty from the menu. Like those of a link they grant
    /// nothing.</summary>
    public IReadOnlyDictionary<string, JsonElement> Parameters { get; }

    public static new ValueTask<AppPageRequest?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(Of<AppPageRequest>(context));
}

/// <summary>A placement was opened whose options are read as <typeparamref name="T"/>: by the names of <c>JsonPropertyName</c>, case
/// included, numbers from texts too, as PHP sends them. Options that do not fit are answered 400 before the handler is asked.</summary>
/// <typeparam name="T">Usually a record; parameters of its constructor that may be absent have a default value.</typeparam>
public sealed class PlacementRequest<T> : PlacementRequest
{
    internal PlacementRequest(Launch launch, T options)
        : base(launch) => Options = options;

    /// <summary>They name things, and grant nothing: the user's own browser sent them.</summary>
    public T Options { get; }

    [SuppressMessage("Design", "CA1000", Justification = "Minimal APIs look for it on the parameter's own type.")]
    public static new ValueTask<PlacementRequest<T>?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(Of<PlacementRequest<T>>(context));
}
