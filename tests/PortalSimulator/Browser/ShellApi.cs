using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary><c>/sim/…</c>: what the portal's page asks its own server for. A real portal has nothing like it to show.</summary>
internal sealed class ShellApi(SimPortal portal)
{
    private const int KeptFrames = 5000;

    private readonly Levers _levers = new(portal);
    private readonly ConcurrentDictionary<string, (LaunchForm Form, SimApp App)> _frames = new();

    private Bitrix24 Bitrix => portal.Bitrix;

    public async Task HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var request = context.Request;
        var body = HttpMethods.IsPost(request.Method) ? await RequestParameters.ReadBodyAsync(request, cancellationToken) : [];
        var answer = await AnswerAsync(request, body, cancellationToken);
        await answer.With("Cache-Control", "no-store").WriteAsync(context.Response, cancellationToken);
    }

    private async Task<Answer> AnswerAsync(HttpRequest request, JsonObject body, CancellationToken cancellationToken)
    {
        const string Levers = "/sim/levers/";
        var path = request.Path.Value!;
        if (HttpMethods.IsPost(request.Method) && path.StartsWith(Levers, StringComparison.Ordinal))
            return await _levers.PullAsync(path[Levers.Length..].Trim('/'), body, cancellationToken);
        return (request.Method, path) switch
        {
            ("GET", "/sim/state") => Answer.Json(ShellState.Of(portal)),
            ("GET", "/sim/log") => Answer.Json(new JsonObject { ["entries"] = Bitrix.Log.ToJson(Number(request.Query["after"])) }),
            ("GET", "/sim/auth") => Auth(request),
            ("POST", "/sim/launch") => await LaunchAsync(body, cancellationToken),
            ("POST", "/sim/bridge") => Bridge(body),
            ("POST", "/sim/install-finish") => FinishInstall(body),
            ("POST", "/sim/worker-loaded") => await WorkerLoadedAsync(body, cancellationToken),
            _ => Refuse("Unknown request", 404),
        };
    }

    private async Task<Answer> LaunchAsync(JsonObject body, CancellationToken cancellationToken)
    {
        var placement = body.FindText("placement") ?? "";
        var user = UserOf(body.FindText("userId"));
        var app = portal.FindApp(body.FindText("clientId")) ?? portal.App;
        // Of several registrations of one placement, the one that was clicked.
        var clicked = body.FindText("handler");
        var handler = portal.Placements.FirstOrDefault(one => one.ClientId == app.ClientId && one.Handler == clicked)?.Handler;
        if (WhyNot(placement, user, app) is { } reason) return Refuse(reason, 404);
        await Task.Delay(portal.Quirks.HandlerDelay, Bitrix.Time, cancellationToken);
        if (placement == Catalogue.Default) app.WizardOpened = true;
        var form = portal.LaunchFields(
            placement, user.Id, body.FindText("lang"), body.Find("options") as JsonObject, body.FindText("uri"), handler, app);
        if (_frames.Count >= KeptFrames) _frames.Clear();
        _frames[form.AppSid] = (form, app);
        var detail = SimLog.Details(form.Query.Concat(form.Body));
        Bitrix.Log.Add("launch", portal.Name, "service", $"{placement} for {user.Name} → {form.Handler}", detail);
        return Answer.Json(new JsonObject
        {
            ["action"] = form.Action.ToString(),
            ["fields"] = new JsonObject(form.Body.Select(field => KeyValuePair.Create(field.Key, (JsonNode?)field.Value))),
            ["windowName"] = form.WindowName,
            ["appSid"] = form.AppSid,
            ["origin"] = form.Handler.GetLeftPart(UriPartial.Authority),
        });
    }

    private string? WhyNot(string placement, SimUser user, SimApp app)
    {
        if (!user.Active) return $"{user.Name} has been dismissed.";
        if (!app.Installed) return "The app is not installed.";
        if (placement == Catalogue.Default)
            return Bitrix.ServiceUrl is null ? "The service's address is not known." : null;
        if (!app.InstallFinished) return "The app's installation is not finished: nobody sees its widgets yet.";
        return portal.HandlerOf(placement, user.Id, app) is null ? $"{placement} is not registered." : null;
    }

    private SimUser UserOf(string? id) => portal.Users.FirstOrDefault(user => user.Id == Number(id)) ?? portal.Users[0];

    // What BX24.js gets for getInitData and refreshAuth.
    private Answer Auth(HttpRequest request)
    {
        var user = UserOf(request.Query["userId"]);
        if (!user.Active) return Refuse($"{user.Name} has been dismissed.", 403);
        var (frame, app) = _frames.TryGetValue(request.Query["appSid"].ToString(), out var opened) ? opened : (null, portal.App);
        var tokens = portal.IssueTokens(user.Id, app: app);
        var options = frame?.Body.GetValueOrDefault("PLACEMENT_OPTIONS");
        return Answer.Json(new JsonObject
        {
            ["LANG"] = frame?.Query["LANG"] ?? user.Language,
            ["DOMAIN"] = portal.Domain,
            ["PROTOCOL"] = 0,
            ["PATH"] = "/rest",
            ["AUTH_ID"] = tokens.Access,
            ["REFRESH_ID"] = tokens.Refresh,
            ["AUTH_EXPIRES"] = tokens.ExpiresIn.ToString(CultureInfo.InvariantCulture),
            ["MEMBER_ID"] = portal.MemberId,
            ["FIRST_RUN"] = false,
            ["IS_ADMIN"] = user.Admin,
            ["INSTALL"] = !app.InstallFinished,
            ["USER_OPTIONS"] = new JsonObject(),
            ["APP_OPTIONS"] = new JsonObject(),
            ["PLACEMENT"] = frame?.Body["PLACEMENT"] ?? Catalogue.Default,
            ["PLACEMENT_OPTIONS"] = options is null ? new JsonArray() : JsonNode.Parse(options),
        });
    }

    private Answer Bridge(JsonObject body)
    {
        var inward = body.FindText("direction") == "in";
        var (frame, shell) = (inward ? "frame" : portal.Name, inward ? portal.Name : "frame");
        Bitrix.Log.Add("bridge", frame, shell, body.FindText("command") ?? "?", (JsonObject)body.DeepClone());
        return Done();
    }

    // ONAPPUSERREADY, where the portal sends one, is not waited for.
    private Answer FinishInstall(JsonObject body)
    {
        var app = _frames.TryGetValue(body.FindText("appSid") ?? "", out var opened) ? opened.App : portal.App;
        _ = portal.FinishInstallAsync(UserOf(body.FindText("userId")).Id, app, Bitrix.Stopping);
        return Done();
    }

    private async Task<Answer> WorkerLoadedAsync(JsonObject body, CancellationToken cancellationToken)
    {
        var removed = await portal.ReportWorkerLoadAsync(Number(body.FindText("ms")), cancellationToken: cancellationToken);
        return Answer.Json(new JsonObject { ["ok"] = true, ["slowLoads"] = portal.App.SlowLoads.Count, ["removed"] = removed });
    }

    private static Answer Done() => Answer.Json(new JsonObject { ["ok"] = true });

    private static Answer Refuse(string error, int status) => Answer.Json(new JsonObject { ["error"] = error }, status);

    private static long Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? (long)number : 0;
}
