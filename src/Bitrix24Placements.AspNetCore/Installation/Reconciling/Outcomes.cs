using System.Text.Encodings.Web;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>As the store keeps it and scripts are told.</summary>
/// <param name="Error">Bitrix24's code; null where it is registered.</param>
internal sealed record PlacementOutcome(string Placement, string Handler, string State, string? Error)
{
    [JsonIgnore]
    public RestError? Failure { get; init; }

    [JsonIgnore]
    public bool Changed { get; init; }

    [JsonIgnore]
    public bool IsRegistered => Error is null;

    public static PlacementOutcome Of(DeclaredPlacement declared, RestError? failure, bool changed = false) =>
        new(declared.Placement, declared.Handler, failure is null ? "registered" : "failed", failure?.Code)
        {
            Failure = failure,
            Changed = changed,
        };

    public static string Serialize(PlacementOutcome[] outcomes) =>
        JsonSerializer.Serialize(outcomes, InstallationJson.Default.PlacementOutcomeArray);

    public static PlacementOutcome[] Read(string? json) => json is null ? []
        : JsonSerializer.Deserialize(json, InstallationJson.Default.PlacementOutcomeArray) ?? [];
}

/// <param name="EventsError">Null where the app's events are bound.</param>
internal sealed record Reconciliation(PlacementOutcome[] Placements, RestError? EventsError)
{
    public bool Finished => EventsError is null && Placements.All(p => p.IsRegistered);

    public RestError? FirstError => Placements.FirstOrDefault(p => !p.IsRegistered)?.Failure ?? EventsError;
}

internal sealed record InstalledPortal(string MemberId, string Domain);

/// <summary>The answer of <c>POST /install</c> to scripts.</summary>
/// <param name="KeysError">What is registered works, for an hour.</param>
internal sealed record InstallationOutcome(
    InstalledPortal Portal, bool Finished, PlacementOutcome[] Placements,
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
[JsonSerializable(typeof(PlacementOutcome[]))]
[JsonSerializable(typeof(KeptClaim))]
[JsonSerializable(typeof(RenewedInstallation))]
[JsonSerializable(typeof(UninstallNotice))]
[JsonSerializable(typeof(LookMemory))]
internal sealed partial class InstallationJson : JsonSerializerContext;
