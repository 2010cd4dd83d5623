using System.Text.Encodings.Web;

namespace Bitrix24Placements.Installation;

/// <param name="Error">Null where it is registered.</param>
internal sealed record PlacementOutcome(string Placement, string Handler, RestError? Error, bool Changed = false)
{
    public bool IsRegistered => Error is null;
}

/// <param name="EventsError">Null where the app's events are bound.</param>
/// <param name="KeysAreWrong">What is registered works until the tokens have to be refreshed.</param>
internal sealed record Reconciliation(
    IReadOnlyList<PlacementOutcome> Placements, RestError? EventsError, bool KeysAreWrong = false, string App = PortalId.DefaultApp)
{
    public bool Finished => EventsError is null && Placements.All(static p => p.IsRegistered);

    public RestError? FirstError => Placements.FirstOrDefault(static p => p.Error is not null)?.Error ?? EventsError;
}

internal sealed record StoredPlacement(string Placement, string Handler, string State, string? Error)
{
    public static StoredPlacement[] From(IEnumerable<PlacementOutcome> outcomes) =>
        [.. outcomes.Select(static o =>
            new StoredPlacement(o.Placement, o.Handler, o.IsRegistered ? "registered" : "failed", o.Error?.Code))];

    public static string Serialize(IEnumerable<PlacementOutcome> outcomes) =>
        JsonSerializer.Serialize(From(outcomes), InstallationJson.Default.StoredPlacementArray);

    public static PlacementOutcome[] OutcomesOf(string json) =>
        [.. ReadAll(json).Select(static p =>
            new PlacementOutcome(p.Placement, p.Handler, p.Error is null ? null : new(RestErrorKind.Refused, p.Error, p.Error)))];

    public static StoredPlacement[] ReadAll(string? json) => json is null ? []
        : JsonSerializer.Deserialize(json, InstallationJson.Default.StoredPlacementArray) ?? [];
}

internal sealed record InstalledPortal(string MemberId, string Domain);

/// <summary>The answer of <c>POST /install</c> to scripts.</summary>
/// <param name="EventsError">Placements can all be registered while the events are not.</param>
/// <param name="KeysError">What is registered works, for an hour.</param>
internal sealed record InstallationOutcome(
    InstalledPortal Portal, bool Finished, StoredPlacement[] Placements,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? EventsError,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? KeysError)
{
    private static readonly InstallationJson Readable = new(new JsonSerializerOptions(InstallationJson.Default.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, Readable.InstallationOutcome);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(InstallationOutcome))]
[JsonSerializable(typeof(StoredPlacement[]))]
[JsonSerializable(typeof(KeptClaim))]
[JsonSerializable(typeof(UninstallNotice))]
[JsonSerializable(typeof(LookMemory))]
internal sealed partial class InstallationJson : JsonSerializerContext;
