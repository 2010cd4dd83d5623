using System.Text.Json;
using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Rest;

internal enum TokenVerdict
{
    /// <summary>The token is this app's, and <see cref="TokenConfirmation.Info"/> says whose.</summary>
    Confirmed,

    /// <summary><c>expired_token</c>.</summary>
    Expired,

    /// <summary><c>invalid_token</c>: no such token, or the app is gone from the portal.</summary>
    Invalid,

    /// <summary>Any other refusal, another app's token, or an answer about an address that may not be used.</summary>
    Refused,

    /// <summary>Silence, a server error or nonsense: nothing is known.</summary>
    NoAnswer,
}

/// <summary>What the OAuth server knows of an access token: the one trusted answer to "which portal, which user".</summary>
/// <param name="Id">The portal, and the app that the token belongs to.</param>
/// <param name="ClientEndpoint">The portal's REST base, scheme included, with a trailing slash.</param>
/// <param name="Server">The OAuth server that answered.</param>
internal sealed record TokenInfo(PortalId Id, Uri ClientEndpoint, Uri Server, long UserId, DateTimeOffset ExpiresAt);

internal readonly record struct TokenConfirmation(TokenVerdict Verdict, TokenInfo? Info = null);

/// <summary>A refreshed pair. Whoever gets it has to store it before using it: the old refresh token is void from now on.</summary>
internal sealed record RefreshedTokens(Secret Access, Secret Refresh, DateTimeOffset ExpiresAt, string MemberId);

/// <summary>Talks to the configured OAuth servers and to no other host.</summary>
/// <remarks>https://apidocs.bitrix24.com/settings/oauth/index.html</remarks>
internal sealed class OAuthClient(BitrixHttp http, HostRules hosts, AppRegistry apps, RestMetrics metrics, TimeProvider time)
{
    /// <summary>A token's life is told in seconds from now; what is never told is an hour.</summary>
    private static readonly TimeSpan TokenLife = TimeSpan.FromHours(1);

    /// <summary>Asks <c>app.info</c>: the server named, else every configured one in order, until one vouches for the token.</summary>
    /// <param name="budget">For all servers together.</param>
    public async Task<TokenConfirmation> ConfirmAsync(Secret accessToken, Uri? server, TimeSpan budget, CancellationToken cancellationToken)
    {
        if (server is not null)
            return await AskAsync(server, accessToken, budget, cancellationToken);

        var deadline = time.GetTimestamp();
        var worst = new TokenConfirmation(TokenVerdict.Invalid);
        for (var i = 0; i < hosts.OAuthServers.Count; i++)
        {
            var share = (budget - time.GetElapsedTime(deadline)) / (hosts.OAuthServers.Count - i);
            if (share <= TimeSpan.Zero)
                return new(TokenVerdict.NoAnswer);
            var answer = await AskAsync(hosts.OAuthServers[i], accessToken, share, cancellationToken);
            if (answer.Verdict == TokenVerdict.Confirmed)
                return answer;
            // A server that does not know the token has said little while another one is silent.
            if (answer.Verdict == TokenVerdict.NoAnswer || (worst.Verdict != TokenVerdict.NoAnswer && answer.Verdict != TokenVerdict.Invalid))
                worst = answer;
        }

        return worst;
    }

    private async Task<TokenConfirmation> AskAsync(Uri server, Secret accessToken, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var confirmation = new TokenConfirmation(TokenVerdict.NoAnswer);
        try
        {
            var answer = await http.GetWithTokenAsync(BitrixHttp.OAuthClient, new Uri(server, "/rest/app.info/"), accessToken, timeout, cancellationToken);
            confirmation = Read(answer.Body, server);
        }
        catch (BitrixTransportException)
        {
        }

        metrics.OAuthCall("app.info", confirmation.Verdict.ToString(), time.GetElapsedTime(started));
        return confirmation;
    }

    private TokenConfirmation Read(JsonElement body, Uri server)
    {
        if (body.Text("error") is { } code)
        {
            return new(code switch
            {
                "expired_token" => TokenVerdict.Expired,
                "invalid_token" => TokenVerdict.Invalid,
                _ when RestErrors.IsPassing(code) => TokenVerdict.NoAnswer,
                _ => TokenVerdict.Refused,
            });
        }

        var result = body.Member("result");
        var install = result.Member("install");
        if (install.Text("member_id") is not { } memberId || !PortalId.IsMemberId(memberId) || result.Text("client_id") is not { } clientId || result.Number("user_id") is not { } userId)
            return new(TokenVerdict.NoAnswer);
        if (apps.FindByClientId(clientId) is not { } app
            || hosts.PortalEndpoint(install.Text("client_endpoint")) is not { } endpoint)
        {
            return new(TokenVerdict.Refused);
        }

        var now = time.GetUtcNow();
        var expires = result.Instant("expires") is { } told && told > now && told < now + TokenLife ? told : now + TokenLife;
        return new(TokenVerdict.Confirmed, new(new(memberId, app.Name), endpoint, server, userId, expires));
    }

    /// <summary>Exchanges a refresh token of an app. The old one is void as soon as the server has seen this, whether or not its answer arrives.</summary>
    public async Task<RestResult<RefreshedTokens>> RefreshAsync(string app, Secret refreshToken, Uri server, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (apps.Find(app) is not { } keys)
            return RestError.NotConfigured;
        var started = time.GetTimestamp();
        var result = await SendRefreshAsync(keys, refreshToken, server, timeout, cancellationToken);
        metrics.OAuthCall("token", RestErrors.Label(result.Error?.Code), time.GetElapsedTime(started));
        return result;
    }

    private async Task<RestResult<RefreshedTokens>> SendRefreshAsync(RegisteredApp keys, Secret refreshToken, Uri server, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // Documented as GET; POST keeps the secrets out of addresses, and is what the vendor's own JavaScript SDK sends.
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "refresh_token"),
            new("client_id", keys.ClientId),
            new("client_secret", keys.ClientSecret.Reveal()),
            new("refresh_token", refreshToken.Reveal()),
        ]);
        try
        {
            var answer = await http.PostAsync(BitrixHttp.OAuthClient, new Uri(server, "/oauth/token/"), form, timeout, cancellationToken);
            var body = answer.Body;
            if (body.Text("error") is { } code)
                return RestErrors.IsPassing(code) ? RestError.Unavailable("The OAuth server answered " + code + ".") : new RestError(RestErrorKind.Refused, RestErrors.Clean(code), "The OAuth server refused to refresh.");
            if (body.Text("access_token") is not { Length: > 0 } access || body.Text("refresh_token") is not { Length: > 0 } refresh || body.Text("member_id") is not { } memberId)
                return RestError.Unavailable("The OAuth server's answer cannot be read.");
            var life = body.Number("expires_in") is { } seconds and > 0 and < 86400 ? TimeSpan.FromSeconds(seconds) : TokenLife;
            return new RefreshedTokens(new(access), new(refresh), time.GetUtcNow() + life, memberId.ToLowerInvariant());
        }
        catch (BitrixTransportException e)
        {
            return e.Sent ? RestError.Unknown("The OAuth server: " + e.Message + ".") : RestError.Unavailable("The OAuth server: " + e.Message + ".");
        }
    }
}
