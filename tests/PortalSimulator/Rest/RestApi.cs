using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary><c>/rest/{method}</c> of one portal.</summary>
internal sealed class RestApi(SimPortal portal)
{
    private static readonly Dictionary<string, Func<RestRequest, RestReply>> Methods = new(StringComparer.OrdinalIgnoreCase)
    {
        ["profile"] = UserMethods.Profile,
        ["user.current"] = UserMethods.Current,
        ["scope"] = UserMethods.Scope,
        ["app.info"] = UserMethods.AppInfo,
        ["placement.bind"] = PlacementMethods.Bind,
        ["placement.unbind"] = PlacementMethods.Unbind,
        ["placement.get"] = PlacementMethods.Get,
        ["placement.list"] = PlacementMethods.List,
        ["event.bind"] = EventMethods.Bind,
        ["event.get"] = EventMethods.Get,
        ["event.unbind"] = EventMethods.Unbind,
        ["pull.application.event.add"] = PullMethods.AddEvent,
        ["pull.application.config.get"] = PullMethods.GetConfig,
        ["event.test"] = EventMethods.Test,
        ["user.get"] = UserMethods.Get,
    };

    static RestApi()
    {
        foreach (var (method, run) in RecordMethods.All())
            Methods[method] = run;
    }

    private Bitrix24 Bitrix => portal.Bitrix;

    public async Task HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        context.Response.Headers.AccessControlAllowOrigin = "*";
        if (portal.Quirks.ClockOff != TimeSpan.Zero)
            context.Response.Headers.Date = (Bitrix.Time.GetUtcNow() + portal.Quirks.ClockOff).ToString("R", CultureInfo.InvariantCulture);
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.Headers.AccessControlAllowMethods = "GET, POST, OPTIONS";
            context.Response.Headers.AccessControlAllowHeaders = "Content-Type, Authorization";
            return;
        }
        var started = Stopwatch.GetTimestamp();
        var method = MethodName(context.Request.Path);
        var parameters = await RequestParameters.ReadAsync(context.Request, cancellationToken);
        var auth = TakeAuth(context.Request, parameters);
        var token = Bitrix.OAuth.Tokens.FindAccess(auth);
        var call = Note(context.Request, method, parameters, token);
        var fault = Bitrix.Faults.Take($"rest:{method}", portal);
        call.Outcome = fault?.Name;
        portal.Calls.Add(call);
        var source = context.Connection.RemoteIpAddress?.ToString() ?? "";
        var answer = await Faults.ApplyAsync(
            fault,
            () => Task.FromResult(Work(Refuse(method, token, auth, source), method, parameters, token, call)),
            Bitrix.Time,
            cancellationToken);
        portal.Calls.Touch();
        Log(context.Request, call, parameters, answer, Stopwatch.GetElapsedTime(started));
        if (answer is null) context.Abort();
        else await answer.WriteAsync(context.Response, cancellationToken);
    }

    private static string MethodName(PathString path)
    {
        var name = path.Value!["/rest/".Length..].Trim('/').ToLowerInvariant();
        return name.EndsWith(".json", StringComparison.Ordinal) ? name[..^".json".Length] : name;
    }

    private static string? TakeAuth(HttpRequest request, JsonObject parameters)
    {
        const string Bearer = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        var bearer = header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..] : null;
        var auth = parameters.FindText("auth") ?? bearer;
        parameters.Remove("auth");
        return string.IsNullOrEmpty(auth) ? null : auth;
    }

    private RestCall Note(HttpRequest request, string method, JsonObject parameters, SimToken? token) =>
        new(method, (JsonObject)parameters.DeepClone(), Bitrix.Time.GetUtcNow())
        {
            UserId = token?.Portal == portal ? token.UserId : null,
            ClientId = token?.Portal == portal ? token.App.ClientId : null,
            UserAgent = request.Headers.UserAgent.ToString(),
        };

    private Answer Work(RestReply? refusal, string method, JsonObject parameters, SimToken? token, RestCall call)
    {
        var started = Bitrix.Time.GetUtcNow();
        var reply = refusal ?? Run(new RestRequest(portal, token!.App, portal.User(token.UserId), parameters), method);
        call.Outcome = reply.Code ?? "ok";
        // Told before the answer is sent: a fault may hold that back for as long as somebody waits for this.
        portal.Calls.Touch();
        return reply.ToAnswer(started, Bitrix.Time.GetUtcNow());
    }

    private RestReply Run(RestRequest request, string method)
    {
        if (Bitrix.Methods[method] is not { } own) return Methods[method](request);
        try
        {
            return RestReply.Ok(own(new MethodCall(method, request.Parameters, request.User.Id, portal, request.App)));
        }
        catch (RestRefusedException refused)
        {
            return RestReply.Error(refused.Code, refused.Message, refused.Status);
        }
    }

    /// <summary>The checks that come before any method, in the portal's order.</summary>
    private RestReply? Refuse(string method, SimToken? token, string? auth, string source)
    {
        if (!portal.Limit.Allows(source))
            return RestReply.Error("QUERY_LIMIT_EXCEEDED", "Too many requests", 503);
        if (token is null || token.Portal != portal)
        {
            return auth is not null
                ? RestReply.Error("invalid_token", "Unable to get application by token", 401)
                : RestReply.Error("NO_AUTH_FOUND", "Wrong authorization data", 401);
        }
        var state = Bitrix.OAuth.Tokens.State(token);
        if (state is TokenState.Expired)
            return RestReply.Error("expired_token", "The access token provided has expired.", 401);
        if (state is TokenState.Dead)
            return RestReply.Error("invalid_token", "Unable to get application by token", 401);
        if (Bitrix.Methods[method] is null && !Methods.ContainsKey(method))
            return RestReply.Error("ERROR_METHOD_NOT_FOUND", "Method not found!", 404);
        return Scopes(method) is { } scopes && !scopes.Any(token.App.Scopes.Contains)
            ? RestReply.Error("insufficient_scope", "The request requires higher privileges than provided by the access token", 403)
            : null;
    }

    /// <summary>Any of which will do.</summary>
    private static string[]? Scopes(string method) => method.Split('.')[0] switch
    {
        "placement" => ["placement"],
        "pull" => ["pull"],
        "user" => ["user_brief", "user_basic", "user"],
        "crm" => ["crm"],
        "tasks" or "task" => ["task", "tasks"],
        _ => null,
    };

    private void Log(HttpRequest request, RestCall call, JsonObject parameters, Answer? answer, TimeSpan took)
    {
        var from = call.UserAgent.StartsWith("Mozilla", StringComparison.Ordinal) ? "browser" : "service";
        var detail = SimLog.Details(parameters, answer?.BodyText);
        Bitrix.Log.Add("rest", from, portal.Name, $"{request.Method} {call}", detail, answer?.Status, took);
    }
}
