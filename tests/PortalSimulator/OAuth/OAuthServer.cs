using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>What oauth.bitrix.info does: renews tokens, and says whose a token is.</summary>
public sealed class OAuthServer
{
    private readonly Bitrix24 _bitrix;
    private Listener? _listener;

    internal OAuthServer(Bitrix24 bitrix)
    {
        _bitrix = bitrix;
        Tokens = new TokenStore(bitrix);
    }

    public string Domain => $"127.0.0.1:{_listener?.Port ?? 0}";

    public string Url => $"http://{Domain}";

    /// <summary>What launches and events name as their server.</summary>
    public string ServerEndpoint => $"{Url}/rest/";

    /// <summary>Every request, in the order in which they came.</summary>
    public Journal<OAuthCall> Calls { get; } = new();

    /// <summary>Refreshes that gave new tokens.</summary>
    public int Refreshes => Calls.Count(call => call is { Kind: "token", Outcome: "ok" });

    internal TokenStore Tokens { get; }

    internal async Task StartAsync(CancellationToken cancellationToken) =>
        _listener = await Listener.StartAsync(_bitrix.Options.OAuthPort, HandleAsync, cancellationToken);

    internal async Task StopAsync()
    {
        if (_listener is not null) await _listener.StopAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var kind = Kind(context.Request.Path);
        if (kind is null)
        {
            await Answer.Error("ERROR_METHOD_NOT_FOUND", "Method not found!", 404).WriteAsync(context.Response, context.RequestAborted);
            return;
        }
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _bitrix.Stopping);
        var parameters = await RequestParameters.ReadAsync(context.Request, gone.Token);
        var started = Stopwatch.GetTimestamp();
        var call = Note(kind, parameters);
        var portal = Find(kind, parameters)?.Portal;
        var fault = _bitrix.Faults.Take($"oauth:{kind}", portal);
        call.Outcome = fault?.Name;
        Calls.Add(call);
        var answer = await Faults.ApplyAsync(fault, () => Task.FromResult(Work(kind, parameters, call)), _bitrix.Time, gone.Token);
        Calls.Touch();
        var detail = SimLog.Details(parameters, answer?.BodyText);
        _bitrix.Log.Add("oauth", "service", "oauth", $"{kind}: {call.Outcome}", detail, answer?.Status, Stopwatch.GetElapsedTime(started));
        if (answer is null) context.Abort();
        else await answer.WriteAsync(context.Response, gone.Token);
    }

    private static string? Kind(PathString path) => path.Value?.TrimEnd('/') switch
    {
        "/oauth/token" => "token",
        "/rest/app.info" or "/rest/app.info.json" => "app.info",
        _ => null,
    };

    private OAuthCall Note(string kind, JsonObject parameters)
    {
        var value = parameters.FindText(TokenField(kind));
        var token = Find(kind, parameters);
        var clientId = parameters.FindText("client_id") ?? token?.App.ClientId;
        var hash = value is null ? null : OAuthCall.Hash(value);
        return new OAuthCall(kind, _bitrix.Time.GetUtcNow(), clientId, hash, token?.Portal.MemberId, token?.UserId);
    }

    private static string TokenField(string kind) => kind == "token" ? "refresh_token" : "auth";

    private SimToken? Find(string kind, JsonObject parameters)
    {
        var value = parameters.FindText(TokenField(kind));
        return kind == "token" ? Tokens.FindRefresh(value) : Tokens.FindAccess(value);
    }

    private Answer Work(string kind, JsonObject parameters, OAuthCall call)
    {
        var answer = kind == "token" ? Renew(parameters) : Info(parameters);
        call.Outcome = (JsonNode.Parse(answer.Body.Span) as JsonObject)?.FindText("error") ?? "ok";
        // Told before the answer is sent: a fault may hold that back for as long as somebody waits for this.
        Calls.Touch();
        return answer;
    }

    private Answer Renew(JsonObject parameters)
    {
        if (parameters.FindText("grant_type") is not "refresh_token")
            return Answer.Error("invalid_request", "Unsupported or missing grant_type", 400);
        var clientId = parameters.FindText("client_id");
        var secret = parameters.FindText("client_secret");
        if (!_bitrix.Portals.SelectMany(portal => portal.Apps).Any(app => app.ClientId == clientId && app.ClientSecret == secret))
            return Answer.Error("invalid_client", "Invalid client", 401);
        if (Tokens.FindRefresh(parameters.FindText("refresh_token")) is not { } refresh)
            return Answer.Error("invalid_grant", "Invalid grant", 400);
        if (refresh.App.ClientId != clientId)
            return Answer.Error("WRONG_CLIENT", "Wrong client", 200);
        return Tokens.Rotate(refresh) is { } tokens
            ? Answer.Json(Renewed(refresh, tokens))
            : Answer.Error("invalid_grant", "Invalid grant", 400);
    }

    // "domain" is this server's own, not the portal's.
    private JsonObject Renewed(SimToken refresh, IssuedTokens tokens) => new()
    {
        ["access_token"] = tokens.Access,
        ["expires"] = tokens.Expires.ToUnixTimeSeconds(),
        ["expires_in"] = tokens.ExpiresIn,
        ["scope"] = refresh.App.ScopeText,
        ["domain"] = Domain,
        ["server_endpoint"] = ServerEndpoint,
        ["status"] = "L",
        ["client_endpoint"] = refresh.Portal.ClientEndpoint,
        ["member_id"] = refresh.Portal.MemberId,
        ["user_id"] = refresh.UserId,
        ["refresh_token"] = tokens.Refresh,
    };

    private Answer Info(JsonObject parameters)
    {
        if (Tokens.FindAccess(parameters.FindText("auth")) is not { } token)
            return Answer.Error("invalid_token", "Unable to get application by token", 401);
        return Tokens.State(token) switch
        {
            TokenState.Expired => Answer.Error("expired_token", "The access token provided has expired.", 401),
            TokenState.Dead => Answer.Error("invalid_token", "Unable to get application by token", 401),
            _ => Answer.Json(new JsonObject { ["result"] = Info(token) }),
        };
    }

    private static JsonObject Info(SimToken token) => new()
    {
        ["client_id"] = token.App.ClientId,
        ["scope"] = token.App.ScopeText,
        ["expires"] = token.Expires.ToUnixTimeSeconds(),
        ["user_id"] = token.UserId,
        ["install"] = new JsonObject
        {
            ["installed"] = token.App.InstallFinished,
            ["version"] = token.App.Version.ToString(CultureInfo.InvariantCulture),
            ["status"] = "L",
            ["scope"] = token.App.ScopeText,
            ["domain"] = token.Portal.Domain,
            ["uri"] = token.Portal.Url,
            ["client_endpoint"] = token.Portal.ClientEndpoint,
            ["member_id"] = token.Portal.MemberId,
            ["member_type"] = "owner",
        },
    };
}
