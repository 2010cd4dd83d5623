using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>What a person can make happen to a portal while looking at it.</summary>
internal sealed class Levers(SimPortal portal)
{
    public const string AllOfOAuth = "oauth:*";
    public const string AllOfRest = "rest:*";

    private Bitrix24 Bitrix => portal.Bitrix;

    // A portal tells nobody anything about an app whose installation is not finished.
    private bool Speaks => portal.App.Installed && portal.App.InstallFinished;

    public async Task<Answer> PullAsync(string name, JsonObject body, CancellationToken cancellationToken)
    {
        var on = body.Find("on") is not JsonValue value || PhpForm.Text(value) is not ("" or "0" or "false");
        var delay = TimeSpan.FromMilliseconds(double.TryParse(body.FindText("ms"), NumberStyles.Float, CultureInfo.InvariantCulture, out var ms) ? ms : 0);
        switch (name)
        {
            case "install": return Told(await InstallAsync(body, cancellationToken));
            case "update": return Told(await UpdateAsync(cancellationToken));
            case "uninstall": return Told(await UninstallAsync(body, cancellationToken));
            case "removeWorker": return Told(await portal.RemoveWorkerAsync(cancellationToken: cancellationToken));
            case "signal": return await SignalAsync(body, cancellationToken);
            case "rename": portal.Rename(body.FindText("host") ?? (portal.Domain.StartsWith("localhost", StringComparison.Ordinal) ? "127.0.0.1" : "localhost")); break;
            case "expireTokens": portal.ExpireTokens(); break;
            case "breakOAuth": BreakOAuth(on); break;
            case "queryLimit": LimitQueries(on); break;
            case "vendorScriptDelay": portal.Quirks.VendorScriptDelay = delay; break;
            case "handlerDelay": portal.Quirks.HandlerDelay = delay; break;
            case "oldPortal": portal.Quirks.OldPortal = on; break;
            case "reset": await ResetAsync(cancellationToken); break;
            default: return Answer.Json(new JsonObject { ["error"] = $"There is no lever {name}." }, 404);
        }
        return Done();
    }

    private async Task<IReadOnlyList<Delivery>> InstallAsync(JsonObject body, CancellationToken cancellationToken) =>
        await portal.InstallAsync(body.FindText("mode") == "api", cancellationToken: cancellationToken) is { } told ? [told] : [];

    private async Task<IReadOnlyList<Delivery>> UpdateAsync(CancellationToken cancellationToken)
    {
        if (!Speaks) portal.WithEvents(bound => bound.RemoveAll(_ => true));
        return await portal.UpdateAsync(cancellationToken: cancellationToken);
    }

    private async Task<IReadOnlyList<Delivery>> UninstallAsync(JsonObject body, CancellationToken cancellationToken)
    {
        if (!Speaks) portal.WithEvents(bound => bound.RemoveAll(_ => true));
        var clean = PhpForm.Text(body.Find("clean")) is not ("" or "0" or "false");
        return await portal.UninstallAsync(clean, cancellationToken);
    }

    private void BreakOAuth(bool on)
    {
        if (on) Bitrix.Faults.Set(AllOfOAuth, Fault.Garbage(502));
        else Bitrix.Faults.Clear(AllOfOAuth);
    }

    // The real counter would let a person's few clicks pass.
    private void LimitQueries(bool on)
    {
        if (on) Bitrix.Faults.Set(AllOfRest, Fault.Error("QUERY_LIMIT_EXCEEDED", 503, "Too many requests"), portal);
        else Bitrix.Faults.Clear(AllOfRest, portal);
    }

    private async Task ResetAsync(CancellationToken cancellationToken)
    {
        Bitrix.Faults.Clear();
        portal.Limit.Reset();
        portal.Limit.On = Bitrix.Options.RateLimit;
        portal.Quirks.Reset();
        portal.Rename("127.0.0.1");
        portal.UninstallSilently();
        await portal.InstallAsync(cancellationToken: cancellationToken);
        Bitrix.Log.Clear();
    }

    /// <summary>The whole way: the service's API, then its call to this portal, then the sockets of the frames.</summary>
    private async Task<Answer> SignalAsync(JsonObject body, CancellationToken cancellationToken)
    {
        if (Bitrix.ServiceUrl is null) return Answer.Json(new JsonObject { ["error"] = "The service's address is not known." }, 409);
        var signal = new JsonObject
        {
            ["memberId"] = portal.MemberId,
            ["command"] = body.FindText("command") ?? "openApplication",
            ["params"] = body.Find("params")?.DeepClone() ?? new JsonObject(),
        };
        if (body.Find("userIds") is JsonArray users) signal["userIds"] = users.DeepClone();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Bitrix.ServiceUrl}/api/signals") { Content = JsonContent.Create<JsonNode>(signal) };
        if (Bitrix.SignalsApiKey is { } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        try
        {
            using var response = await Bitrix.Http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            Bitrix.Log.Add("event", "backend", "service", "POST /api/signals", SimLog.Details(signal, text), (int)response.StatusCode);
            return Answer.Json(
                new JsonObject { ["ok"] = response.IsSuccessStatusCode, ["status"] = (int)response.StatusCode, ["body"] = text },
                response.IsSuccessStatusCode ? 200 : 502);
        }
        catch (HttpRequestException refused)
        {
            return Answer.Json(new JsonObject { ["ok"] = false, ["error"] = refused.Message }, 502);
        }
    }

    private static Answer Done() => Answer.Json(new JsonObject { ["ok"] = true });

    private static Answer Told(IReadOnlyList<Delivery> deliveries)
    {
        var accepted = deliveries.All(delivery => delivery.Accepted);
        var told = deliveries.Select(delivery =>
            (JsonNode)new JsonObject { ["url"] = delivery.Url, ["status"] = delivery.Status, ["body"] = delivery.Body });
        return Answer.Json(new JsonObject { ["ok"] = accepted, ["deliveries"] = new JsonArray([.. told]) }, accepted ? 200 : 502);
    }
}
