using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bitrix24Placements.Installation;

/// <param name="Error">Bitrix24's code, or ours; null where it is registered.</param>
/// <param name="Changed">Whether anything had to be done.</param>
internal sealed record PlacementOutcome(string Placement, string Handler, RestError? Error, bool Changed = false)
{
    public bool IsRegistered => Error is null;
}

/// <summary>What a reconciliation has come to.</summary>
/// <param name="EventsError">Why the app's events are not bound; null where they are.</param>
/// <param name="App">Whose keys those are.</param>
/// <param name="KeysAreWrong">Bitrix24 does not take the app's secret: what is registered works until its tokens have to be
/// refreshed.</param>
internal sealed record Reconciliation(
    IReadOnlyList<PlacementOutcome> Placements, RestError? EventsError, bool KeysAreWrong = false, string App = PortalId.DefaultApp)
{
    public bool Finished => EventsError is null && Placements.All(static p => p.IsRegistered);

    public RestError? FirstError => Placements.FirstOrDefault(static p => p.Error is not null)?.Error ?? EventsError;
}

/// <summary>A placement's outcome as scripts read it, and as it is stored.</summary>
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
/// <param name="EventsError">Placements can all be registered while the events are not: then this says why it is not finished.</param>
/// <param name="KeysError">The app's secret is wrong: what is registered works, for an hour.</param>
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
