using System.Net.Mime;
using System.Text.Encodings.Web;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Signals;

internal sealed class ApiEndpoints(
    ApiKeys keys, PageSessions sessions, PortalSignals signals, DeepLinks links, PortalStore portals, AppRegistry apps,
    ServedPortals served, Guard guard)
{
    private static readonly Rejection UnknownPortal = new(404, "portalNotInstalled", "No portal with this memberId has installed the app.");
    private static readonly Rejection UnknownApp = new(404, "notFound", "There is no such app.");
    private static readonly Rejection AppRequired = new(409, "appRequired",
        "The portal has installed several apps of this service: name one of them as app.");
    private static readonly Rejection ContextTooLarge = new(404, "contextTooLarge");
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task SignalAsync(HttpContext context)
    {
        if (await AuthorizeAsync(context, BackendOf(context)) is not { } backend)
            return;
        var body = await ApiBody.ReadAsync(context);
        var signal = body.Ok ? SignalRequest.Read(body.Value) : body.Rejection;
        await guard.RunAsync(
            context, RequestKind.Signal, signal.Value?.MemberId ?? "",
            async () => signal.Ok ? await SendAsync(context, backend, signal.Value) : signal.Rejection,
            isKnown: true, holder: backend.Name);
    }

    private async Task<Rejection?> SendAsync(HttpContext context, ApiCaller backend, SignalRequest signal)
    {
        var installation = await FindAsync(backend, signal, context.RequestAborted);
        if (!installation.Ok)
            return installation.Rejection;
        // Not the request's cancellation: half a signal is a signal.
        var result = await signals.SendAsync(
            installation.Value.Id, signal.Command, signal.Parameters, signal.UserIds, CancellationToken.None);
        if (!result.Ok)
            return RejectionOf(result.Error);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        return null;
    }

    private async Task<Checked<KnownPortal>> FindAsync(ApiCaller backend, SignalRequest signal, CancellationToken cancellationToken)
    {
        var known = await portals.KnownAllAsync(signal.MemberId, cancellationToken);
        return known.Where(p => p.State == PortalState.Installed && served.Contains(p) && backend.MaySee(p.Id)
            && (signal.App ?? p.Id.App) == p.Id.App).ToList() switch
        {
            [var only] => only,
            [] => UnknownPortal,
            _ => AppRequired,
        };
    }

    public async Task LinkAsync(HttpContext context)
    {
        var session = await sessions.ReadAsync(context);
        if (await AuthorizeAsync(context, CallerOf(session) ?? BackendOf(context)) is not { } caller)
            return;
        var body = await ApiBody.ReadAsync(context);
        await guard.RunAsync(context, RequestKind.Api, caller.Name, async () =>
        {
            var link = body.Ok ? MakeLink(body.Value, caller) : body.Rejection;
            if (!link.Ok)
                return link.Rejection;
            var answer = new JsonObject { ["path"] = link.Value }.ToJsonString(Readable) + "\n";
            await context.Response.WriteBytesAsync(MediaTypeNames.Application.Json, Encoding.UTF8.GetBytes(answer));
            return null;
        }, isKnown: true);
    }

    private Checked<string> MakeLink(JsonObject body, ApiCaller caller)
    {
        var errors = new Dictionary<string, string>();
        var named = ApiBody.App(body, errors);
        var parameters = ApiBody.Object(body, "params", errors);
        if (errors.Count > 0)
            return ApiBody.Malformed(errors);
        var app = AppOf(caller, named);
        if (!app.Ok)
            return app.Rejection;
        try
        {
            return links.Path(parameters, app.Value.Name);
        }
        catch (ArgumentException e)
        {
            return ApiBody.Malformed(new() { ["params"] = e.Message });
        }
    }

    /// <summary>The named one, the only possible one, or the default one.</summary>
    private Checked<RegisteredApp> AppOf(ApiCaller caller, string? named)
    {
        if (!apps.HasAny)
            return Rejection.NotConfigured;
        var possible = apps.All.Where(a => caller.Apps?.Contains(a.Name) != false && (named ?? a.Name) == a.Name).ToList();
        return possible is [var only] ? only
            : possible.Find(a => a.Name == PortalId.DefaultApp) is { } standard ? standard
            : possible.Count == 0 ? UnknownApp : AppRequired;
    }

    public async Task ContextAsync(HttpContext context)
    {
        var session = await sessions.ReadAsync(context);
        if (await AuthorizeAsync(context, CallerOf(session)) is null)
            return;
        await guard.RunAsync(context, RequestKind.Api, session!.Portal.MemberId, async () =>
        {
            if (session.Stored.ReadContext() is not { } launch)
                return ContextTooLarge;
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteBytesAsync(MediaTypeNames.Application.Json, launch);
            return null;
        }, isKnown: true);
    }

    private ApiCaller? BackendOf(HttpContext context) => PageSessions.TokenOf(context) is { } token ? keys.Find(token) : null;

    private static ApiCaller? CallerOf(PageSession? session) => session is null ? null
        : new(session.Id, new HashSet<string> { session.Portal.MemberId }, new HashSet<string> { session.App.Name });

    /// <summary>Null: the refusal is written.</summary>
    private async Task<ApiCaller?> AuthorizeAsync(HttpContext context, ApiCaller? caller)
    {
        var refused = caller is null ? Rejection.Unauthorized
            : keys.TakeRequest(caller) is { } wait ? new(429, "tooManyRequests") { RetryAfter = wait } : null;
        if (refused is null)
            return caller;
        await guard.RefuseAsync(context, RequestKind.Api, "", refused);
        return null;
    }

    private static Rejection RejectionOf(RestError error) => error.Kind switch
    {
        // Bitrix24's own fault has a code as well, but its outcome is unknown.
        RestErrorKind.OutcomeUnknown when RestErrors.IsServerFault(error.Code) =>
            Rejection.Refused(error.Code, $"Bitrix24 answered with {error.Code}. The signal may have been sent; it is not repeated."),
        RestErrorKind.Refused => Rejection.Refused(error.Code, $"Bitrix24 refused the signal: {error.Code}."),
        RestErrorKind.NotInstalled => UnknownPortal,
        RestErrorKind.NotConfigured => Rejection.NotConfigured,
        RestErrorKind.NoTokens => new(503, "bitrix24Unavailable", error.Description),
        RestErrorKind.TooMany => new(429, "tooManyRequests", error.Description) { RetryAfter = error.RetryAfter },
        // It may have arrived: no invitation to send it again.
        RestErrorKind.OutcomeUnknown =>
            new(503, "bitrix24Unavailable", "Bitrix24 did not answer in time. The signal may have been sent; it is not repeated."),
        _ => Rejection.Unavailable,
    };
}
