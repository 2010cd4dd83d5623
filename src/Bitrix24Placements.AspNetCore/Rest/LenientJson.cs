using System.Globalization;
using System.Text.Json;

namespace Bitrix24Placements.Rest;

/// <summary>PHP writes the same field as number, string or empty array by its mood.</summary>
internal static class LenientJson
{
    public static JsonElement Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    public static string? Text(this JsonElement element, string name)
    {
        var value = element.Member(name);
        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };
    }

    public static long? Number(this JsonElement element, string name) =>
        long.TryParse(element.Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static bool Truth(this JsonElement element, string name)
    {
        var value = element.Member(name);
        return value.ValueKind == JsonValueKind.True
            || value.ValueKind is JsonValueKind.String or JsonValueKind.Number && element.Text(name) is "1" or "Y" or "true";
    }

    /// <summary>Unix seconds, digits in a string, or ISO 8601.</summary>
    public static DateTimeOffset? Instant(this JsonElement element, string name)
    {
        if (element.Number(name) is { } seconds and > 0 and < 253402300799)
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        return DateTimeOffset.TryParse(element.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at : null;
    }
}
