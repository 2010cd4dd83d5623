using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.Signals;

/// <summary>The body of <c>POST /api/signals</c>.</summary>
internal sealed record SignalRequest(string MemberId, string Command, JsonObject? Parameters, IReadOnlyList<long>? UserIds)
{
    public static (SignalRequest? Signal, IReadOnlyDictionary<string, string> Errors) Read(JsonObject body)
    {
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        var memberId = Text(body["memberId"]);
        if (memberId is not { Length: 32 } || !memberId.All(char.IsAsciiHexDigit))
            errors["memberId"] = "32 hexadecimal digits are expected.";
        var command = Text(body["command"]);
        if (!PortalSignals.IsCommand(command))
            errors["command"] = "1 to 100 letters, digits and _ : | . - are expected.";
        if (body["params"] is not (null or JsonObject))
            errors["params"] = "An object is expected.";
        var users = Users(body, errors);
        return errors.Count > 0 ? (null, errors) : (new(memberId!.ToLowerInvariant(), command!, body["params"] as JsonObject, users), errors);
    }

    private static List<long>? Users(JsonObject body, Dictionary<string, string> errors)
    {
        if (!body.ContainsKey("userIds"))
            return null;
        var users = body["userIds"] is JsonArray { Count: > 0 and <= PortalSignals.MostUsers } list ? list.Select(Number).ToList() : null;
        if (users is not null && users.TrueForAll(static u => u > 0))
            return [.. users.Select(static u => u!.Value).Distinct()];
        errors["userIds"] = $"1 to {PortalSignals.MostUsers} numbers of users are expected; without this member the signal goes to everyone.";
        return null;
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static long? Number(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out long number) ? number : null;
}
