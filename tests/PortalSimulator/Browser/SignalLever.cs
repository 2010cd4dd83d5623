using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>The whole way of a signal: the service's API, then its call to this portal, then the sockets of the frames.</summary>
internal static class SignalLever
{
    public static async Task<Answer> PullAsync(SimPortal portal, JsonObject body, CancellationToken cancellationToken)
    {
        var bitrix = portal.Bitrix;
        if (bitrix.ServiceUrl is null) return Answer.Json(new JsonObject { ["error"] = "The service's address is not known." }, 409);
        var signal = new JsonObject
        {
            ["memberId"] = portal.MemberId,
            ["command"] = body.FindText("command") ?? "openApplication",
            ["params"] = body.Find("params")?.DeepClone() ?? new JsonObject(),
        };
        if (body.Find("userIds") is JsonArray users) signal["userIds"] = users.DeepClone();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{bitrix.ServiceUrl}/api/signals");
        request.Content = JsonContent.Create<JsonNode>(signal);
        if (bitrix.SignalsApiKey is { } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        try
        {
            using var response = await bitrix.Http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            bitrix.Log.Add("event", "backend", "service", "POST /api/signals", SimLog.Details(signal, text), (int)response.StatusCode);
            return Answer.Json(
                new JsonObject { ["ok"] = response.IsSuccessStatusCode, ["status"] = (int)response.StatusCode, ["body"] = text },
                response.IsSuccessStatusCode ? 200 : 502);
        }
        catch (HttpRequestException refused)
        {
            return Answer.Json(new JsonObject { ["ok"] = false, ["error"] = refused.Message }, 502);
        }
    }
}
