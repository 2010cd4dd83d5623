using System.Text.Encodings.Web;

namespace Bitrix24Placements.Placements;

/// <summary>For curl, scripts and support. A record of its own, so that no token can slip in.</summary>
internal sealed record LaunchContext(
    string Placement, ContextPortal Portal, string Language, string ApplicationSid, string? ApplicationStatus, long? UserId,
    string Verification, object Options, IReadOnlyDictionary<string, string> HandlerQuery);

internal sealed record ContextPortal(string MemberId, string Domain, string Protocol);

internal sealed record AppPageOptions(IReadOnlyDictionary<string, JsonElement> Parameters);

internal static class LaunchContextJson
{
    private static readonly ContextJson Readable =
        new(new(ContextJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static byte[] Write(PlacementRequest request) => JsonSerializer.SerializeToUtf8Bytes(
        new(request.Placement, new(request.Portal.MemberId, request.Portal.Domain, request.Portal.Protocol), request.Language,
            request.ApplicationSid, request.ApplicationStatus, request.UserId,
            JsonNamingPolicy.CamelCase.ConvertName(request.Verification.ToString()), OptionsOf(request), request.HandlerQuery),
        Readable.LaunchContext);

    private static object OptionsOf(PlacementRequest request) => request.Placement switch
    {
        PlacementCatalogue.RestAppUri => RestAppUriOptions.Read(request.RawOptions),
        PlacementCatalogue.BackgroundWorker => BackgroundWorkerOptions.Read(request.RawOptions),
        PlacementCatalogue.Default => new AppPageOptions(LaunchParameters.Read(request.RawOptions)),
        _ => LaunchParameters.Read(request.RawOptions),
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LaunchContext))]
[JsonSerializable(typeof(RestAppUriOptions))]
[JsonSerializable(typeof(BackgroundWorkerOptions))]
[JsonSerializable(typeof(AppPageOptions))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class ContextJson : JsonSerializerContext;
