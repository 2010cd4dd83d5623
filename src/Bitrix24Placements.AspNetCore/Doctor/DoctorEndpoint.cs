using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor;

/// <summary><c>POST /doctor</c>: examines the portal of an administrator's page, and tells each check as it ends, a line of JSON each.</summary>
internal sealed class DoctorEndpoint(
    Examiner examiner, Texts texts, PageSessions sessions, PortalStore portals, OAuthClient oauth, RestClient rest, Guard guard)
{
    private const int MaxAtOnce = 4;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(8);

    private static readonly Rejection Unauthorized = new(401, "unauthorized") { IsFailedAttempt = true };

    private readonly ConcurrentDictionary<PortalId, bool> _running = new();

    public async Task ReceiveAsync(HttpContext context)
    {
        var (asked, rejection) = await BoundedBody.ReadAsync(context, Read);
        await guard.RunAsync(context, AttemptKind.Api, "api", async () => asked is null ? rejection : await ExamineAsync(context, asked));
    }

    private async Task<Rejection?> ExamineAsync(HttpContext context, DoctorRequest asked)
    {
        if (await sessions.ReadAsync(TokenOf(context), context.RequestAborted) is not { } session)
            return Unauthorized;
        var portal = new PortalId(session.MemberId);
        if (!await IsAdministratorAsync(portal, session.UserId, new(asked.AccessToken ?? ""), context.RequestAborted))
            return Rejection.NotVerified;
        if (_running.Count >= MaxAtOnce || !_running.TryAdd(portal, true))
            return Rejection.Overloaded;
        try
        {
            await TellAsync(context, portal, asked.Language ?? Texts.Fallback);
            return null;
        }
        finally
        {
            _running.TryRemove(portal, out _);
        }
    }

    private async Task TellAsync(HttpContext context, PortalId portal, string language)
    {
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-store";
        // A proxy that gathers the answer would hide the progress.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        await foreach (var result in examiner.RunAsync(new(portal), context.RequestAborted))
        {
            var line = JsonSerializer.SerializeToUtf8Bytes(ReportedCheck.Of(result, texts, language, forOperator: false), ReportLineJson.Default.ReportedCheck);
            await context.Response.BodyWriter.WriteAsync((byte[])[.. line, (byte)'\n'], context.RequestAborted);
        }
    }

    /// <summary>A session says who he is; whether he is an administrator now, the portal says.</summary>
    private async Task<bool> IsAdministratorAsync(PortalId portal, long userId, Secret token, CancellationToken cancellationToken)
    {
        if (token.IsEmpty || await portals.KnownAsync(portal, cancellationToken) is not { } known)
            return false;
        var confirmed = await oauth.ConfirmAsync(token, known.OAuthServer, Timeout, cancellationToken);
        if (confirmed.Info is not { } info || info.Id != portal || info.UserId != userId)
            return false;
        var profile = await rest.CallAsUserAsync(info, token, RestCall.Own("profile") with { Deadline = Timeout }, cancellationToken);
        return profile.Ok && profile.Value.Truth("ADMIN");
    }

    private static string TokenOf(HttpContext context) =>
        context.Request.Headers.Authorization is [{ } header] && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : "";

    private static DoctorRequest Read(HttpContext context, ReadOnlySequence<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            return JsonSerializer.Deserialize(ref reader, DoctorRequestJson.Default.DoctorRequest) ?? new(null, null);
        }
        catch (JsonException)
        {
            return new(null, null);
        }
    }
}

/// <param name="AccessToken">Of <c>BX24.getAuth</c>.</param>
/// <param name="Language">Bitrix24's code.</param>
internal sealed record DoctorRequest(string? AccessToken, string? Language);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DoctorRequest))]
internal sealed partial class DoctorRequestJson : JsonSerializerContext;
