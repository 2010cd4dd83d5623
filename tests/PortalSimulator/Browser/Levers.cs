using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>What a person can make happen to a portal while looking at it.</summary>
internal sealed class Levers(SimPortal portal)
{
    public const string AllOfOAuth = "oauth:*";
    public const string AllOfRest = "rest:*";

    private Bitrix24 Bitrix => portal.Bitrix;

    public async Task<Answer> PullAsync(string name, JsonObject body, CancellationToken cancellationToken)
    {
        var on = body.Find("on") is not JsonValue value || PhpForm.Text(value) is not ("" or "0" or "false");
        _ = double.TryParse(body.FindText("ms"), NumberStyles.Float, CultureInfo.InvariantCulture, out var ms);
        var delay = TimeSpan.FromMilliseconds(ms);
        switch (name)
        {
            case "install": return Told(await InstallAsync(body, cancellationToken));
            case "update": return Told(await UpdateAsync(cancellationToken));
            case "uninstall": return Told(await UninstallAsync(body, cancellationToken));
            case "removeWorker": return Told(await portal.RemoveWorkerAsync(cancellationToken: cancellationToken));
            case "event": return await EventAsync(body, cancellationToken);
            case "userReady": return Told(await portal.SendEventAsync("ONAPPUSERREADY", cancellationToken: cancellationToken));
            case "market": return Told(await portal.CheckAddressesAsync(cancellationToken: cancellationToken));
            case "signal": return await SignalLever.PullAsync(portal, body, cancellationToken);
            case "rename": portal.Rename(body.FindText("host") ?? OtherHost()); break;
            case "wipe": portal.WipePlacements(); break;
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
        if (!portal.App.Speaks) portal.WithEvents(bound => bound.RemoveAll(_ => true));
        return await portal.UpdateAsync(cancellationToken: cancellationToken);
    }

    private async Task<IReadOnlyList<Delivery>> UninstallAsync(JsonObject body, CancellationToken cancellationToken)
    {
        if (!portal.App.Speaks) portal.WithEvents(bound => bound.RemoveAll(_ => true));
        var clean = PhpForm.Text(body.Find("clean")) is not ("" or "0" or "false");
        return await portal.UninstallAsync(clean, cancellationToken: cancellationToken);
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

    private async Task<Answer> EventAsync(JsonObject body, CancellationToken cancellationToken)
    {
        if (body.FindText("event") is not { Length: > 0 } name) return Refuse("An event needs a name.");
        var userId = int.TryParse(body.FindText("userId"), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 1;
        if (portal.FindUser(userId) is not { Active: true }) return Refuse($"There is no user {userId}.");
        var told = await portal.SendEventAsync(
            name, body.Find("data") as JsonObject, userId: userId, cancellationToken: cancellationToken);
        return told.Count > 0 ? Told(told) : Refuse($"No app that is installed has bound {name.ToUpperInvariant()}.");
    }

    private string OtherHost() => portal.Domain.StartsWith("localhost", StringComparison.Ordinal) ? "127.0.0.1" : "localhost";

    private static Answer Refuse(string why) => Answer.Json(new JsonObject { ["ok"] = false, ["error"] = why }, 409);

    private static Answer Done() => Answer.Json(new JsonObject { ["ok"] = true });

    private static Answer Told(IReadOnlyList<Delivery> deliveries)
    {
        var accepted = deliveries.All(delivery => delivery.Accepted);
        var told = deliveries.Select(delivery =>
            (JsonNode)new JsonObject { ["url"] = delivery.Url, ["status"] = delivery.Status, ["body"] = delivery.Body });
        return Answer.Json(new JsonObject { ["ok"] = accepted, ["deliveries"] = new JsonArray([.. told]) }, accepted ? 200 : 502);
    }
}
