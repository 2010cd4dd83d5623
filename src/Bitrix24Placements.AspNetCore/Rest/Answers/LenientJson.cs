using System.Runtime.InteropServices;

namespace Bitrix24Placements.Rest;

/// <summary>PHP writes the same field as number, string or empty array by its mood.</summary>
internal static class LenientJson
{
    public static JsonElement Member(this JsonElement element, string name)
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;
        }
        catch (InvalidOperationException)
        {
            // A name beside it that is half of a surrogate pair.
            return default;
        }
    }

    /// <summary>Null where it is half of a surrogate pair.</summary>
    public static string? Key(this JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Of a list that a portal tells of itself, up to 96 KB: they stay in memory while the portal is called, and many may be
    /// silent.</summary>
    public static IEnumerable<JsonElement> Entries(this JsonElement list)
    {
        const int MaxBytes = 96 * 1024;
        var bytes = 0;
        return list.ValueKind != JsonValueKind.Array ? []
            : list.EnumerateArray().TakeWhile(e => (bytes += JsonMarshal.GetRawUtf8Value(e).Length) <= MaxBytes);
    }

    public static string? Text(this JsonElement element, string name)
    {
        var value = element.Member(name);
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number => value.GetRawText(),
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            // Bytes that are no UTF-8, or half of a surrogate pair.
            return null;
        }
    }

    public static long? Number(this JsonElement element, string name) =>
        long.TryParse(element.Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static bool Truth(this JsonElement element, string name) =>
        element.Member(name).ValueKind == JsonValueKind.True || element.Text(name) is "1" or "Y" or "true";

    /// <summary>Unix seconds, digits in a string, or ISO 8601.</summary>
    public static DateTimeOffset? Instant(this JsonElement element, string name) =>
        element.Number(name) is { } seconds and > 0 and < 253402300799 ? DateTimeOffset.FromUnixTimeSeconds(seconds)
        : DateTimeOffset.TryParse(element.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at
        : null;
}
