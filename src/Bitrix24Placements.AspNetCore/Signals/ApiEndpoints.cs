using System.Net.Mime;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Signals;

/// <summary><c>/api/*</c>: for the user's backend by its key, for his pages by their session.</summary>
internal sealed class ApiEndpoints(
    ApiKeys keys, PageSessions sessions, PortalSignals signals, DeepLinks links, PortalStore portals, AppRegistry apps, Guard guard,
        RejectionWriter rejections)
{
    private static readonly Rejection Unauthorized = new(401, "unauthorized") { IsFailedAttempt = true };
    private static readonly Rejection UnknownPortal = new(404, "portalNotInstalled", "No portal with this memberId has installed the app.");
    private static readonly Rejection UnknownApp = new(404, "notFound", "There is no such app.");
    private static readonly Rejection AppRequired = new(409, "appRequired",
        "The portal has installed several apps of this service: name one of them as app.");
    private static readonly Rejection ContextTooLarge = new(404, "contextTooLarge");
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task SignalAsync(HttpContext context)
    {
        var caller = TokenOf(context) is { } token ? keys.Find(token) : null;
        if (await AuthorizeAsync(context, caller) is not { } backend
            || await ReadAsync(context, ApiBody.ReadAsync(context)) is not { } body)
            return;
        var signal = SignalRequest.Read(body);
        if (!signal.Ok)
            await rejections.WriteAsync(context, signal.Rejection);
        else
            await guard.RunAsync(context, AttemptKind.Api, signal.Value.MemberId, () => SendAsync(context, backend, signal.Value),
                isKnown: true);
    }

    private async Task<Rejection?> SendAsync(HttpContext context, ApiCaller backend, SignalRequest signal)
    {
        var installation = await FindAsync(backend, signal.MemberId, signal.App, context.RequestAborted);
        if (!installation.Ok)
            return installation.Rejection;
        // Not the request's own cancellation: half a signal is a signal.
        var result = await signals.SendAsync(installation.Value.Id, signal.Command, signal.Parameters, signal.UserIds,
            CancellationToken.None);
        if (!result.Ok)
            return RejectionOf(result.Error);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        return null;
    }

    /// <summary>The installation that is meant, among those that the caller may see.</summary>
    private async Task<Checked<KnownPortal>> FindAsync(ApiCaller backend, string memberId, string? app, CancellationToken cancellationToken)
    {
        var installed = (await portals.KnownAllAsync(memberId, cancellationToken))
            .Where(p => p.State == PortalState.Installed && apps.Serves(p.Id) && backend.MaySee(p.Id) && (app is null || p.Id.App == app))
            .ToList();
        return installed switch
        {
            [var only] => only,
            [] => UnknownPortal,
            _ => AppRequired,
        };
    }

    public async Task LinkAsync(HttpContext context)
    {
        var session = await sessions.ReadAsync(context);
        var caller = session is not null ? CallerOf(session) : TokenOf(context) is { } token ? keys.Find(token) : null;
        if (await AuthorizeAsync(context, caller) is not { } asker || await ReadAsync(context, ApiBody.ReadAsync(context)) is not { } body)
            return;
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        var named = ApiBody.App(body, errors);
        var parameters = ApiBody.Object(body, "params", errors);
        var app = AppOf(asker, named);
        if (errors.Count > 0)
            await rejections.WriteAsync(context, ApiBody.Malformed(errors));
        else if (!app.Ok)
            await rejections.WriteAsync(context, app.Rejection);
        else
            await MakeLinkAsync(context, parameters, app.Value.Name);
    }

    private async Task MakeLinkAsync(HttpContext context, JsonObject? parameters, string app)
    {
        try
        {
            var answer = new JsonObject { ["path"] = links.Path(parameters, app) };
            context.Response.ContentType = MediaTypeNames.Application.Json;
            await context.Response.WriteAsync(answer.ToJsonString(Readable) + "\n", context.RequestAborted);
        }
        catch (ArgumentException e)
        {
            await rejections.WriteAsync(context, ApiBody.Malformed(new() { ["params"] = e.Message }));
        }
    }

    /// <summary>A link is an app's: that of the page, the one that is named, the only one that the key is for, or the default
    /// one.</summary>
    private Checked<RegisteredApp> AppOf(ApiCaller asker, string? named)
    {
        if (!apps.HasAny)
            return Rejection.NotConfigured;
        if (named is not null)
            return apps.Find(named) is { } app && asker.Apps?.Contains(named) != false ? app : UnknownApp;
        var possible = apps.All.Where(a => asker.Apps?.Contains(a.Name) != false).ToList();
        return possible is [var only] ? only
            : possible.Find(static a => a.Name == PortalId.DefaultApp) is { } standard ? standard
            : possible.Count == 0 ? UnknownApp : AppRequired;
    }

    public async Task ContextAsync(HttpContext context)
    {
        var session = await sessions.ReadAsync(context);
        if (await AuthorizeAsync(context, session is null ? null : CallerOf(session)) is null || session is null)
            return;
        if (session.Context is null)
        {
            await rejections.WriteAsync(context, ContextTooLarge);
            return;
        }

        context.Response.ContentType = MediaTypeNames.Application.Json;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.BodyWriter.WriteAsync(session.Context, context.RequestAborted);
    }

    private static ApiCaller CallerOf(PageSession session) => new(
        session.Id, new HashSet<string>(StringComparer.Ordinal) { session.Portal.MemberId },
            new HashSet<string>(StringComparer.Ordinal) { session.App.Name });

    /// <summary>The caller, within his limit. Null: the refusal is written.</summary>
    private async Task<ApiCaller?> AuthorizeAsync(HttpContext context, ApiCaller? caller)
    {
        if (caller is null)
            await guard.RunAsync(context, AttemptKind.Api, "", static () => Task.FromResult<Rejection?>(Unauthorized));
        else if (keys.TakeRequest(caller) is { } wait)
            await rejections.WriteAsync(context, new(429, "tooManyRequests") { RetryAfter = wait });
        else
            return caller;
        return null;
    }

    private static string? TokenOf(HttpContext context) =>
        context.Request.Headers.Authorization is [{ Length: > 7 } header]
            && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : null;

    /// <summary>Null: the refusal is written.</summary>
    private async Task<JsonObject?> ReadAsync(HttpContext context, Task<Checked<JsonObject>> reading)
    {
        var read = await reading;
        if (!read.Ok)
            await rejections.WriteAsync(context, read.Rejection);
        return read.Value;
    }

    private static Rejection RejectionOf(RestError error) => error.Kind switch
    {
        // A fault of Bitrix24's own is an answer with a code as well, though nobody knows what has come of the signal.
        RestErrorKind.OutcomeUnknown when RestErrors.IsServerFault(error.Code) =>
            Rejection.Refused(error.Code, $"Bitrix24 answered with {error.Code}. The signal may have been sent; it is not repeated."),
        RestErrorKind.Refused => Rejection.Refused(error.Code, $"Bitrix24 refused the signal: {error.Code}."),
        RestErrorKind.NotInstalled => UnknownPortal,
        RestErrorKind.NotConfigured => Rejection.NotConfigured,
        RestErrorKind.NoTokens => new(503, "bitrix24Unavailable", error.Description),
        RestErrorKind.TooMany => new(429, "tooManyRequests", error.Description) { RetryAfter = error.RetryAfter },
        // Nobody knows whether it has arrived: no invitation to send it again.
        RestErrorKind.OutcomeUnknown =>
            Rejection.Unavailable with
            {
                Detail = "Bitrix24 did not answer in time. The signal may have been sent; it is not repeated.",
                RetryAfter = null
            },
        _ => Rejection.Unavailable,
    };
}
