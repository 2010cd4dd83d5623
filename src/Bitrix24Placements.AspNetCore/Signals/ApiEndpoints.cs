using System.Buffers;
using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Signals;

/// <summary><c>/api/*</c>: for the user's backend by its key, for his pages by their session.</summary>
internal sealed class ApiEndpoints(ApiKeys keys, PageSessions sessions, PortalSignals signals, DeepLinks links, PortalStore portals, UnverifiedAttempts attempts, Places places, RejectionWriter rejections)
{
    private static readonly JsonDocumentOptions JsonOptions = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    private static readonly Rejection Unauthorized = new(401, "unauthorized") { IsFailedAttempt = true };

    private static readonly Rejection UnknownPortal = new(404, "portalNotInstalled", "No portal with this memberId has installed the app.");

    private static readonly Rejection ContextTooLarge = new(404, "contextTooLarge");

    public async Task SignalAsync(HttpContext context)
    {
        if (await AuthorizeKeyAsync(context, null) is not { } || await ReadAsync(context) is not { } body)
            return;
        var (signal, errors) = SignalRequest.Read(body);
        if (signal is null)
        {
            await rejections.WriteAsync(context, Rejection.Malformed(errors));
            return;
        }

        using var place = places.TryTake(Room.Api, context, signal.MemberId);
        if (!place.IsTaken)
        {
            await rejections.WriteAsync(context, Rejection.Overloaded);
            return;
        }

        if (await portals.KnownAsync(new(signal.MemberId), context.RequestAborted) is not { State: PortalState.Installed })
        {
            await rejections.WriteAsync(context, UnknownPortal);
            return;
        }

        // Not the request's own cancellation: half a signal is a signal.
        var result = await signals.SendAsync(new(signal.MemberId), signal.Command, signal.Parameters, signal.UserIds, CancellationToken.None);
        if (result.Ok)
            context.Response.StatusCode = StatusCodes.Status202Accepted;
        else
            await rejections.WriteAsync(context, RejectionOf(result.Error));
    }

    public async Task LinkAsync(HttpContext context)
    {
        if (await AuthorizeKeyAsync(context, TokenOf(context) is { } token && await sessions.ReadAsync(token, context.RequestAborted) is { } session ? session : null) is not { } || await ReadAsync(context) is not { } body)
            return;
        if (!links.CanMake(PortalId.DefaultApp))
        {
            await rejections.WriteAsync(context, Rejection.NotConfigured);
            return;
        }

        if (body["params"] is not (null or JsonObject))
        {
            await rejections.WriteAsync(context, Rejection.Malformed(new Dictionary<string, string> { ["params"] = "An object is expected." }));
            return;
        }

        try
        {
            await WriteAsync(context, "path", links.Path(body["params"] as JsonObject));
        }
        catch (ArgumentException e)
        {
            await rejections.WriteAsync(context, Rejection.Malformed(new Dictionary<string, string> { ["params"] = e.Message }));
        }
    }

    public async Task ContextAsync(HttpContext context)
    {
        var refused = attempts.MayTry(context, AttemptKind.Api, "api") ? Unauthorized : Rejection.TooManyAttempts;
        if (TokenOf(context) is not { } token || await sessions.ReadAsync(token, context.RequestAborted) is not { } session)
        {
            if (refused.IsFailedAttempt)
                attempts.Failed(context, AttemptKind.Api, "api");
            await rejections.WriteAsync(context, refused);
            return;
        }

        if (session.Context is null)
        {
            await rejections.WriteAsync(context, ContextTooLarge);
            return;
        }

        context.Response.ContentType = MediaTypeNames.Application.Json;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.BodyWriter.WriteAsync(session.Context, context.RequestAborted);
    }

    /// <summary>True: a key within its limit, or the session. Null: the refusal is written.</summary>
    private async Task<bool?> AuthorizeKeyAsync(HttpContext context, PageSession? session)
    {
        if (session is not null)
            return true;
        var key = TokenOf(context) is { } token ? keys.Find(token) : -1;
        if (key >= 0)
        {
            if (keys.TakeRequest(key) is not { } wait)
                return true;
            await rejections.WriteAsync(context, new(429, "tooManyRequests", "This key has used up its requests of the minute.") { RetryAfter = wait });
            return null;
        }

        if (attempts.MayTry(context, AttemptKind.Api, "api"))
        {
            attempts.Failed(context, AttemptKind.Api, "api");
            await rejections.WriteAsync(context, Unauthorized);
        }
        else
        {
            await rejections.WriteAsync(context, Rejection.TooManyAttempts);
        }

        return null;
    }

    private static string? TokenOf(HttpContext context) =>
        context.Request.Headers.Authorization is [{ } header] && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && header.Length > 7 ? header[7..].Trim() : null;

    /// <summary>The body as a JSON object; null: the refusal is written.</summary>
    private async Task<JsonObject?> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            await rejections.WriteAsync(context, new(415, "unsupportedMediaType", "The body has to be application/json."));
            return null;
        }

        var (json, rejection) = await BoundedBody.ReadAsync(context, static (_, body) => body.ToArray());
        if (json is not null && Parse(json) is { } read)
            return read;
        await rejections.WriteAsync(context, rejection ?? Rejection.Malformed("The body has to be a JSON object in which no name is repeated."));
        return null;
    }

    private static JsonObject? Parse(byte[] json)
    {
        try
        {
            if (JsonNode.Parse(json, null, JsonOptions) is not JsonObject body)
                return null;
            // Reads every text once: halves of surrogate pairs are found here and not later.
            _ = body.ToJsonString();
            return body;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static async Task WriteAsync(HttpContext context, string name, string value)
    {
        var buffer = new ArrayBufferWriter<byte>(value.Length + 32);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString(name, value);
            writer.WriteEndObject();
        }

        context.Response.ContentType = MediaTypeNames.Application.Json;
        await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    private static Rejection RejectionOf(RestError error) => error.Kind switch
    {
        // A fault of Bitrix24's own is an answer with a code as well, though nobody knows what has come of the signal.
        RestErrorKind.OutcomeUnknown when RestErrors.IsServerFault(error.Code) => Rejection.Refused(error.Code, $"Bitrix24 answered with {error.Code}. The signal may have been sent; it is not repeated."),
        RestErrorKind.Refused => Rejection.Refused(error.Code, $"Bitrix24 refused the signal: {error.Code}."),
        RestErrorKind.NotInstalled => UnknownPortal,
        RestErrorKind.NotConfigured => Rejection.NotConfigured,
        RestErrorKind.NoTokens => new(503, "bitrix24Unavailable", error.Description),
        // Nobody knows whether it has arrived: no invitation to send it again.
        RestErrorKind.OutcomeUnknown => Rejection.Unavailable with { Detail = "Bitrix24 did not answer in time. The signal may have been sent; it is not repeated.", RetryAfter = null },
        _ => Rejection.Unavailable,
    };
}
