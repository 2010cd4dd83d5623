using Bitrix24Placements.Forms;

namespace Bitrix24Placements.Events;

/// <summary>The form of an event; a claim, all of it.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/events/index.html</remarks>
internal static class WireEvent
{
    private const int MaxDepth = 32;

    private const int MaxOwnLength = 2048;

    private static readonly string[] OwnFields =
    [
        "event", "auth[member_id]", "auth[application_token]", "auth[access_token]", "auth[refresh_token]", "auth[server_endpoint]",
        "data[access_token]", "data[refresh_token]", "data[server_endpoint]", "data[CLEAN]",
    ];

    /// <summary>In upper case: events' names come in any.</summary>
    public static string? Name(WireForm form) =>
        form.Text("event"u8) is { Length: > 0 and <= 100 } name ? name.ToUpper(CultureInfo.InvariantCulture) : null;

    public static string? MemberId(this WireForm form) =>
        form.Text("auth[member_id]"u8) is { } id && PortalId.IsMemberId(id) ? id.ToLowerInvariant() : null;

    /// <summary>What is cut is nobody's.</summary>
    public static Secret ApplicationToken(this WireForm form) => new(form.Text("auth[application_token]"u8, MaxOwnLength) ?? "");

    public static long? UserId(WireForm form) => Number(form.Text("auth[user_id]"u8));

    /// <summary>Unix seconds.</summary>
    public static long? Timestamp(WireForm form) => Number(form.Text("ts"u8)) is < 253402300799 and var seconds ? seconds : null;

    /// <summary>Of an uninstallation: nothing is to be kept.</summary>
    public static bool IsClean(WireForm form) => form.Text("data[CLEAN]"u8) == "1";

    /// <summary>The same for a repeat.</summary>
    public static string Id(WireForm form) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text(form))))[..32];

    public static string Text(WireForm form) => Text(form.All());

    /// <summary>What is read of the app's own events, no longer than a token: anybody may send them.</summary>
    public static string OwnText(WireForm form) => Text(
        from name in OwnFields
        let value = form.Text(Encoding.ASCII.GetBytes(name))
        where value is { Length: <= MaxOwnLength }
        select (name, value));

    private static string Text(IEnumerable<(string Name, string Value)> fields) => string.Join('&', fields.Select(
        static field => Uri.EscapeDataString(field.Name) + '=' + Uri.EscapeDataString(field.Value)));

    /// <summary><c>data[…][…]</c>, as PHP would see it.</summary>
    public static JsonElement Data(WireForm form)
    {
        var data = new JsonObject();
        foreach (var (name, value) in form.All())
        {
            if (name.StartsWith("data[", StringComparison.Ordinal) && name.EndsWith(']'))
                Set(data, name[5..^1].Split("][", MaxDepth + 1), value);
        }

        return JsonElement.Parse(data.ToJsonString());
    }

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

    private static void Set(JsonObject data, string[] path, string value)
    {
        // Deeper than anything that Bitrix24 sends.
        if (path.Length > MaxDepth)
            return;
        foreach (var name in path[..^1])
        {
            if (data[name] is not JsonObject inner)
                data[name] = inner = [];
            data = inner;
        }

        // PHP counts where there is no key.
        var last = path[^1].Length > 0 ? path[^1] : data.Count.ToString(CultureInfo.InvariantCulture);
        data[last] = value;
    }
}
