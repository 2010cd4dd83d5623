namespace Bitrix24Placements.Events;

/// <summary>An event as it waits in the inbox.</summary>
/// <param name="Name">Bitrix24's, in upper case, or one of those here.</param>
internal sealed record StoredEvent(
    string Id, string Name, string Domain, string Protocol, long? UserId, long Timestamp, JsonElement? Data = null, bool Clean = false)
{
    public const string Installed = "installed";
    public const string Uninstalled = "uninstalled";

    public string Serialize() => JsonSerializer.Serialize(this, EventJson.Default.StoredEvent);

    public static StoredEvent? Read(string payload) => payload.Length == 0 ? null
        : JsonSerializer.Deserialize(payload, EventJson.Default.StoredEvent);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(StoredEvent))]
internal sealed partial class EventJson : JsonSerializerContext;
