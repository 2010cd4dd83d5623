using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <summary><c>POST /api/session</c>: the page's user has got a new token from the portal, and the OAuth server says that it is
/// his.</summary>
internal sealed class SessionRenewal(
    PageSessions sessions, ConfirmedTokens confirmed, Confirmations confirmations, HostRules hosts, UnverifiedAttempts attempts,
    RejectionWriter rejections,
    TimeProvider time)
{
    /// <summary>A page may have slept for a night.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromDays(1);

    private static readonly Rejection NoToken =
        Rejection.Malformed(new Dictionary<string, string> { ["accessToken"] = "The access token of BX24.refreshAuth is expected." });

    private static readonly Rejection NotJson = new(415, "unsupportedMediaType", "The body has to be application/json.");

    public async Task RenewAsync(HttpContext context)
    {
        var renewed = await TryRenewAsync(context);
        if (!renewed.Ok)
        {
            await SessionGate.RefuseAsync(context, renewed.Rejection, attempts, rejections);
            return;
        }

        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(
            renewed.Value, RenewalJson.Default.RenewedSession, cancellationToken: context.RequestAborted);
    }

    private async Task<Checked<RenewedSession>> TryRenewAsync(HttpContext context)
    {
        if (PageSessions.TokenOf(context) is not { } text
            || await sessions.FindAsync(text, Grace, context.RequestAborted) is not var (session, stored))
            return SessionGate.Unauthorized;
        if (!context.Request.HasJsonContentType())
            return NotJson;
        var (body, rejection) = await BoundedBody.ReadAsync(context, static (_, bytes) => bytes.ToArray());
        if (body is null)
            return rejection ?? NoToken;
        if (TokenIn(body) is not { } token)
            return NoToken;
        var user = await ConfirmAsync(context, session, token);
        if (!user.Ok)
            return user.Rejection == Rejection.NotVerified ? SessionGate.Unauthorized : user.Rejection;
        if (user.Value.Id != session.Portal.Id || user.Value.UserId != session.UserId)
            return SessionGate.Unauthorized;
        // Rounded up: an hour less the time that asking took is an hour to whoever plans his next renewal.
        var seconds = (int)Math.Ceiling((user.Value.ExpiresAt - time.GetUtcNow()).TotalSeconds);
        return new RenewedSession(sessions.Renew(stored, user.Value, token), Math.Max(0, seconds));
    }

    private async Task<Checked<TokenInfo>> ConfirmAsync(HttpContext context, PageSession session, Secret token)
    {
        var memberId = session.Portal.MemberId;
        if (confirmed.Find(token, memberId) is var (user, _))
            return user;
        if (!attempts.MayTry(context, AttemptKind.Api, SessionGate.Subject))
            return Rejection.TooManyAttempts;
        return await confirmations.AskAsync(
            memberId, token, hosts.ConfiguredOAuthServer(session.Access.OAuthServer.AbsoluteUri), context.RequestAborted);
    }

    private static Secret? TokenIn(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, RenewalJson.Default.RenewalRequest) is { AccessToken: { } text }
                && WireValues.Token(System.Text.Encoding.UTF8.GetBytes(text)) is { } token ? new Secret(token) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

internal sealed record RenewalRequest(string? AccessToken);

internal sealed record RenewedSession(string Session, int ExpiresIn);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RenewalRequest))]
[JsonSerializable(typeof(RenewedSession))]
internal sealed partial class RenewalJson : JsonSerializerContext;
