using System.Buffers;
using System.Threading.RateLimiting;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <summary><c>POST /api/session</c>: the page's user has got a new token from the portal.</summary>
internal sealed class SessionRenewal(
    PageSessions sessions, ConfirmedTokens confirmed, Confirmations confirmations, UnverifiedAttempts attempts, Guard guard,
    HostRules hosts, TimeProvider time) : IDisposable
{
    /// <summary>Of one user, for whom the OAuth server is asked: each of his pages needs one in an hour.</summary>
    private const int MaxPerMinute = 60;

    /// <summary>A page may have slept for a night.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromDays(1);

    private static readonly Rejection NoToken =
        Rejection.Malformed("accessToken", "The access token of BX24.refreshAuth is expected.");

    private static readonly Rejection TooMany = new(429, "tooManyRequests") { RetryAfter = TimeSpan.FromMinutes(1) };

    private readonly PartitionedRateLimiter<string> _pace = PartitionedRateLimiter.Create<string, string>(user =>
        RateLimitPartition.GetFixedWindowLimiter(user, _ => new() { PermitLimit = MaxPerMinute, Window = TimeSpan.FromMinutes(1) }));

    public async Task RenewAsync(HttpContext context)
    {
        var session = await sessions.ReadAsync(context, Grace);
        var renewed = session is null ? Rejection.Unauthorized : await TryRenewAsync(context, session);
        if (!renewed.Ok)
        {
            await guard.RefuseAsync(context, RequestKind.Api, session?.Portal.MemberId ?? "", renewed.Rejection);
            return;
        }

        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(
            renewed.Value, RenewalJson.Default.RenewedSession, cancellationToken: context.RequestAborted);
    }

    private async Task<Checked<RenewedSession>> TryRenewAsync(HttpContext context, PageSession session)
    {
        if (!context.Request.HasJsonContentType())
            return Rejection.NotJson;
        var body = await BoundedBody.ReadAsync(context, (_, bytes) => bytes.ToArray());
        if (!body.Ok)
            return body.Rejection;
        if (TokenIn(body.Value) is not { } token)
            return NoToken;
        var user = await ConfirmAsync(context, session, token);
        if (!user.Ok && user.Rejection != Rejection.NotVerified)
            return user.Rejection;
        if (user.Value?.Id != session.Portal.Id || user.Value.UserId != session.UserId)
            return Rejection.Unauthorized;
        if (!hosts.IsAllowedPortal(user.Value.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        // Rounded up: an hour less the time that asking took is an hour to whoever plans his next renewal.
        var seconds = (int)Math.Ceiling((user.Value.ExpiresAt - time.GetUtcNow()).TotalSeconds);
        return new RenewedSession(sessions.Renew(session, user.Value, token), Math.Max(0, seconds));
    }

    private async Task<Checked<TokenInfo>> ConfirmAsync(HttpContext context, PageSession session, Secret token)
    {
        var memberId = session.Portal.MemberId;
        if (confirmed.Find(token, memberId) is var (user, _))
            return user;
        // Failures are counted by themselves.
        if (!_pace.Take(session.Id, permits: 0).IsAcquired)
            return TooMany;
        if (!attempts.MayTry(context, RequestKind.Api, memberId))
            return Rejection.TooManyAttempts;
        var asked = await confirmations.UserAsync(
            new(ClientAddress.Of(context), memberId, ApplicationToken: null), token, session.Stored.Server.AbsoluteUri);
        if (asked.Ok)
            _pace.Take(session.Id).Dispose();
        return asked;
    }

    public void Dispose() => _pace.Dispose();

    private static Secret? TokenIn(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, RenewalJson.Default.RenewalRequest) is { AccessToken: { } text }
                && WireValues.Token(Encoding.UTF8.GetBytes(text)) is { } token ? new Secret(token) : null;
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
