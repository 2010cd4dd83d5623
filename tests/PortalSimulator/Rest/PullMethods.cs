using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bitrix24Placements.PortalSimulator;

internal static partial class PullMethods
{
    private static readonly TimeSpan ChannelLifetime = TimeSpan.FromHours(12);

    public static RestReply AddEvent(RestRequest request)
    {
        var command = request.Text("COMMAND") ?? "";
        var module = request.Text("MODULE_ID") ?? "application";
        if (!Command().IsMatch(command)) return RestReply.Error("COMMAND_ERROR", "Command format is wrong", 400);
        if (!Module().IsMatch(module)) return RestReply.Error("MODULE_ID_ERROR", "Module ID format is wrong", 400);
        var users = Users(request.Parameters.Find("USER_ID"));
        if (users is not null && !request.User.Admin && users.Any(id => id != request.User.Id))
            return RestReply.Error("USER_ID_ACCESS_ERROR", "Only admin can send notifications to other channels", 400);
        var parameters = request.Parameters.Find("PARAMS")?.DeepClone() ?? new JsonObject();
        request.Portal.Push.Publish(new PushMessage(module, command, parameters, users));
        return RestReply.Ok(true);
    }

    /// <summary>
    /// <c>mode: shared</c>, as in the cloud: clients then need <c>clientId</c>. No JWT; nothing is served at the long polling address.
    /// https://apidocs.bitrix24.com/settings/interactivity/push-and-pull/pull-application-config-get.html
    /// </summary>
    public static RestReply GetConfig(RestRequest request)
    {
        var portal = request.Portal;
        var now = portal.Bitrix.Time.GetUtcNow();
        var publicId = Secrets.New(32);
        var mine = Channel("private", portal.Push.ChannelOf(request.User.Id), now);
        mine["public_id"] = publicId;
        return RestReply.Ok(new JsonObject
        {
            ["server"] = Server(portal, now),
            ["api"] = new JsonObject { ["revision_web"] = 19, ["revision_mobile"] = 3 },
            ["channels"] = new JsonObject { ["shared"] = Channel("shared", portal.Push.SharedChannel, now), ["private"] = mine },
            ["publicChannels"] = new JsonObject
            {
                [$"{request.User.Id}"] = new JsonObject
                {
                    ["user_id"] = request.User.Id,
                    ["public_id"] = publicId,
                    ["signature"] = Secrets.New(40),
                    ["start"] = Date(now),
                    ["end"] = Date(now + ChannelLifetime),
                },
            },
            ["clientId"] = portal.Push.ClientId,
            ["exp"] = (now + ChannelLifetime).ToUnixTimeSeconds(),
        });
    }

    private static JsonObject Server(SimPortal portal, DateTimeOffset now)
    {
        var server = new JsonObject
        {
            ["version"] = 4,
            ["server_enabled"] = true,
            ["mode"] = "shared",
            ["hostname"] = portal.Domain,
            ["websocket_enabled"] = true,
            ["publish_enabled"] = false,
            ["config_timestamp"] = now.ToUnixTimeSeconds(),
        };
        // Two spellings, the vendor's. No certificate on loopback: both addresses are the same.
        foreach (var name in new[] { "long_polling", "long_pooling_secure" })
            server[name] = $"{portal.Url}/pull/sub/";
        foreach (var name in new[] { "websocket", "websocket_secure" })
            server[name] = $"ws://{portal.Domain}{PushServer.Path}";
        return server;
    }

    private static JsonObject Channel(string type, string id, DateTimeOffset now) => new()
    {
        ["id"] = id,
        ["type"] = type,
        ["start"] = Date(now),
        ["end"] = Date(now + ChannelLifetime),
    };

    // Null: everybody. A number, a list, or a map as forms write it.
    private static List<int>? Users(JsonNode? node)
    {
        var values = node switch
        {
            JsonArray list => list.AsEnumerable(),
            JsonObject map => map.Select(pair => pair.Value),
            null => null,
            _ => [node],
        };
        return values?.Select(Number).Where(id => id > 0).ToList() is { Count: > 0 } ids ? ids : null;
    }

    private static int Number(JsonNode? value) =>
        int.TryParse(PhpForm.Text(value), NumberStyles.Integer, CultureInfo.InvariantCulture, out var id) ? id : 0;

    private static string Date(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    [GeneratedRegex("^[A-Za-z0-9_:|.-]+$")]
    private static partial Regex Command();

    [GeneratedRegex("^[a-z0-9_.]+$")]
    private static partial Regex Module();
}
