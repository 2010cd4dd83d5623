using System.Net;
using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Rest;

/// <remarks>https://apidocs.bitrix24.com/settings/oauth/index.html</remarks>
internal sealed class OAuthClient(BitrixHttp http, HostRules hosts, AppRegistry apps, RestMetrics metrics, TimeProvider time)
{
    private static readonly TimeSpan TokenLife = TimeSpan.FromHours(1);

    private static readonly TimeSpan DoubtfulLife = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The server named, else every configured one in order, until one vouches for the token.</summary>
    public async Task<TokenConfirmation> ConfirmAsync(Secret accessToken, Uri? server, TimeSpan budget, CancellationToken cancellationToken)
    {
        if (server is not null)
            return await AskAsync(server, accessToken, budget, cancellationToken);

        var started = time.GetTimestamp();
        var worst = new TokenConfirmation(TokenVerdict.Invalid);
        foreach (var (i, configured) in hosts.OAuthServers.Index())
        {
            var share = (budget - time.GetElapsedTime(started)) / (hosts.OAuthServers.Count - i);
            if (share <= TimeSpan.Zero)
                return new(TokenVerdict.NoAnswer);
            var answer = await AskAsync(configured, accessToken, share, cancellationToken);
            if (answer.Verdict == TokenVerdict.Confirmed)
                return answer;
            // A server that does not know the token has said little while another one is silent.
            if (answer.Verdict == TokenVerdict.NoAnswer
                || (worst.Verdict != TokenVerdict.NoAnswer && answer.Verdict != TokenVerdict.Invalid))
                worst = answer;
        }

        return worst;
    }

    private async Task<TokenConfirmation> AskAsync(Uri server, Secret accessToken, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var answer = await http.GetWithTokenAsync(new(server, "/rest/app.info/"), accessToken, timeout, cancellationToken);
        var confirmation = answer.Ok && !IsInTrouble(answer.Value) ? Read(answer.Value.Body, server) : new(TokenVerdict.NoAnswer);
        metrics.OAuthCall("app.info", confirmation.Verdict.ToString(), time.GetElapsedTime(started));
        return confirmation;
    }

    /// <summary>What it says is not of the token then.</summary>
    private static bool IsInTrouble(HttpAnswer answer) =>
        (int)answer.Status >= 500 || answer.Status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout;

    private TokenConfirmation Read(JsonElement body, Uri server)
    {
        if (RestErrors.CodeIn(body) is { } code)
        {
            return new(code switch
            {
                RestErrors.ExpiredToken => TokenVerdict.Expired,
                "invalid_token" => TokenVerdict.Invalid,
                _ when RestErrors.IsPassing(code) => TokenVerdict.NoAnswer,
                _ => TokenVerdict.Refused,
            });
        }

        var result = body.Member("result");
        var install = result.Member("install");
        if (install.Text("member_id") is not { } memberId || !PortalId.IsMemberId(memberId)
            || result.Text("client_id") is not { Length: > 0 and <= 128 } clientId || result.Number("user_id") is not { } userId)
        {
            return new(TokenVerdict.NoAnswer);
        }

        if (hosts.PortalEndpoint(install.Text("client_endpoint")) is not { } endpoint)
            return new(TokenVerdict.Refused);
        var now = time.GetUtcNow();
        // Where it has expired by this clock, one of the two is wrong.
        var expires = result.Instant("expires") is not { } told || told > now + TokenLife ? now + TokenLife
            : told > now ? told : now + DoubtfulLife;
        var app = apps.FindByClientId(clientId);
        // What the portal says to an unknown app's token is not said of this service's.
        var info = new TokenInfo(new(memberId, app?.Name ?? "client " + clientId), endpoint, server, userId, expires);
        return app is null ? new(TokenVerdict.UnknownApp, null, clientId, Stranger: info) : new(TokenVerdict.Confirmed, info, clientId);
    }

    /// <summary>The old token is void as soon as the server has seen this, whether or not its answer arrives.</summary>
    public async Task<RestResult<RefreshedTokens>> RefreshAsync(
        string app, Secret refreshToken, Uri server, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (apps.Find(app) is not { } keys)
            return RestError.NotConfigured;
        if (hosts.ConfiguredOAuthServer(server.AbsoluteUri) is null)
            return RestError.Unavailable("The portal's OAuth server is none of Bitrix24:OAuthServers.");
        var result = await RefreshAsync(keys, refreshToken, server, timeout, cancellationToken);
        // While a secret is being rotated, either may be the one that Bitrix24 knows. A refusal of the keys burns no token.
        return result.Error?.Code == RestErrors.InvalidClient && keys.PreviousSecret is { } previous
            ? await RefreshAsync(keys with { ClientSecret = previous }, refreshToken, server, timeout, cancellationToken) : result;
    }

    /// <summary>With a refresh token that nobody has: <c>invalid_client</c> speaks of the keys, <c>invalid_grant</c> of the
    /// token.</summary>
    public async Task<KeysVerdict> TestKeysAsync(RegisteredApp app, Uri server, CancellationToken cancellationToken)
    {
        var madeUp = new Secret(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        var result = await RefreshAsync(app, madeUp, server, TestTimeout, cancellationToken);
        return result.Error?.Code switch
        {
            RestErrors.InvalidGrant => KeysVerdict.Right,
            RestErrors.InvalidClient => KeysVerdict.Wrong,
            _ => KeysVerdict.NotKnown,
        };
    }

    private async Task<RestResult<RefreshedTokens>> RefreshAsync(
        RegisteredApp app, Secret refreshToken, Uri server, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        // Documented as GET; POST keeps the secrets out of addresses, and is what the vendor's own JavaScript SDK sends.
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "refresh_token"),
            new("client_id", app.ClientId),
            new("client_secret", app.ClientSecret.Reveal()),
            new("refresh_token", refreshToken.Reveal()),
        ]);
        var answer = await http.PostAsync(
            BitrixHttp.OAuthClient, new(server, "/oauth/token/"), form, AnswerReader.SmallBytes, timeout, cancellationToken);
        var result = answer.Ok ? ReadRefreshed(answer.Value, app.ClientSecret) : answer.Error;
        metrics.OAuthCall("token", RestErrors.Label(result.Error?.Code), time.GetElapsedTime(started));
        return result;
    }

    private RestResult<RefreshedTokens> ReadRefreshed(HttpAnswer answer, Secret clientSecret)
    {
        var body = answer.Body;
        if (RestErrors.CodeIn(body) is { } code)
        {
            return IsInTrouble(answer) || RestErrors.IsPassing(code)
                ? RestError.Unavailable($"The OAuth server answered {RestErrors.Clean(code)}.")
                : new RestError(RestErrorKind.Refused, RestErrors.Clean(code), "The OAuth server refused to refresh.");
        }

        if (body.Text("access_token") is not { Length: > 0 } access || body.Text("refresh_token") is not { Length: > 0 } refresh
            || body.Text("member_id") is not { } memberId)
        {
            return RestError.Unavailable("The OAuth server's answer cannot be read.");
        }

        var life = body.Number("expires_in") is { } seconds and > 0 and < 86400 ? TimeSpan.FromSeconds(seconds) : TokenLife;
        return new RefreshedTokens(new(new(access), new(refresh), time.GetUtcNow() + life), memberId.ToLowerInvariant(), clientSecret);
    }
}
