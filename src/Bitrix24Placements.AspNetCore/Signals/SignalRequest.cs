using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Signals;

internal sealed record SignalRequest(string MemberId, string? App, string Command, JsonObject? Parameters, IReadOnlyList<long>? UserIds)
{
    public static Checked<SignalRequest> Read(JsonObject body)
    {
        var errors = new Dictionary<string, string>();
        var memberId = ApiBody.Text(body["memberId"]) ?? "";
        if (!PortalId.IsMemberId(memberId))
            errors["memberId"] = "32 hexadecimal digits are expected.";
        var command = ApiBody.Text(body["command"]) ?? "";
        if (!PortalSignals.IsCommand(command))
            errors["command"] = "1 to 100 letters, digits and _ : | . - are expected.";
        var app = ApiBody.App(body, errors);
        var parameters = ApiBody.Object(body, "params", errors);
        var users = Users(body, errors);
        return errors.Count > 0 ? ApiBody.Malformed(errors) : new SignalRequest(memberId, app, command, parameters, users);
    }

    private static List<long>? Users(JsonObject body, Dictionary<string, string> errors)
    {
        if (!body.ContainsKey("userIds"))
            return null;
        var users = body["userIds"] is JsonArray { Count: > 0 and <= PortalSignals.MaxUsers } list ? list.Select(Number).ToList() : [];
        if (users.Count > 0 && users.TrueForAll(u => u > 0))
            return [.. users.OfType<long>().Distinct()];
        errors["userIds"] =
            $"1 to {PortalSignals.MaxUsers} numbers of users are expected; without this member the signal goes to everyone.";
        return null;
    }

    private static long? Number(JsonNode? node) => node is JsonValue value && value.TryGetValue(out long number) ? number : null;
}
