using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PortalSimulator;

internal static partial class PullMethods
{
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

    public static RestReply GetConfig(RestRequest request)
    {
        var portal = request.Portal;
        var now = portal.Bitrix.Time.GetUtcNow();
        var channel = portal.Push.ChannelOf(request.User.Id);
        var address = $"ws://{portal.Domain}{PushServer.Path}?CHANNEL_ID={channel}";
        return RestReply.Ok(new JsonObject
        {
            ["server"] = new JsonObject
            {
                ["version"] = 4,
                ["server_enabled"] = true,
                ["mode"] = "shared",
                ["hostname"] = portal.Domain,
                ["websocket_enabled"] = true,
                ["websocket"] = address,
                ["websocket_secure"] = address,
                ["publish_enabled"] = false,
                ["config_timestamp"] = now.ToUnixTimeSeconds(),
            },
            ["api"] = new JsonObject { ["revision_web"] = 19, ["revision_mobile"] = 3 },
            ["channels"] = new JsonObject
            {
                ["private"] = new JsonObject
                {
                    ["id"] = channel,
                    ["type"] = "private",
                    ["start"] = Date(now),
                    ["end"] = Date(now.AddHours(12)),
                },
            },
            ["exp"] = now.AddHours(12).ToUnixTimeSeconds(),
        });
    }

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
        return values?.Select(value => int.TryParse(PhpForm.Text(value), NumberStyles.Integer, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0).ToList() is { Count: > 0 } ids ? ids : null;
    }

    private static string Date(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    [GeneratedRegex("^[A-Za-z0-9_:|.-]+$")]
    private static partial Regex Command();

    [GeneratedRegex("^[a-z0-9_.]+$")]
    private static partial Regex Module();
}
