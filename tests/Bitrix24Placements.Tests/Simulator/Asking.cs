using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.Tests.Simulator;

/// <summary>A caller of the simulator that is no service: plain HTTP.</summary>
internal static class Asking
{
    public static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<JsonObject> CallAsync(
        this SimPortal portal, string method, JsonObject? parameters = null, int userId = 1, SimApp? app = null, string? token = null)
    {
        var body = (JsonObject?)parameters?.DeepClone() ?? [];
        body["auth"] = token ?? portal.IssueTokens(userId, app: app).Access;
        using var answer = await Http.PostAsJsonAsync(portal.ClientEndpoint + method, body, Token);
        return await JsonAsync(answer);
    }

    public static async Task<JsonObject> RefreshAsync(this Bitrix24 bitrix, string clientId, string secret, string refreshToken)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "refresh_token",
            ["client_id"] = clientId,
            ["client_secret"] = secret,
            ["refresh_token"] = refreshToken,
        });
        using var answer = await Http.PostAsync($"{bitrix.OAuth.Url}/oauth/token/", form, Token);
        return await JsonAsync(answer);
    }

    public static async Task<JsonObject> AppInfoAsync(this Bitrix24 bitrix, string token)
    {
        using var answer = await Http.GetAsync($"{bitrix.OAuth.Url}/rest/app.info/?auth={token}", Token);
        return await JsonAsync(answer);
    }

    public static string? ErrorOf(JsonObject answer) => (string?)answer["error"];

    private static async Task<JsonObject> JsonAsync(HttpResponseMessage answer) =>
        (JsonObject)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Token))!;
}
