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
    /// <summary>Options may be as large as a body, and escaped they grow.</summary>
    private const int MaxBytes = 64 * 1024;

    private static readonly ContextJson Readable =
        new(new(ContextJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Null where it is too large.</summary>
    public static byte[]? Write(PlacementRequest request)
    {
        var context = new LaunchContext(
            request.Placement, new(request.Portal.MemberId, request.Portal.Domain, request.Portal.Protocol), request.Language,
            request.ApplicationSid, request.ApplicationStatus, request.UserId,
            JsonNamingPolicy.CamelCase.ConvertName(request.Verification.ToString()), OptionsOf(request), request.HandlerQuery);
        using var json = new LimitedStream(MaxBytes);
        try
        {
            JsonSerializer.Serialize(json, context, Readable.LaunchContext);
            return json.ToArray();
        }
        catch (LimitException)
        {
            return null;
        }
    }

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

/// <summary>Ends what grows while it is written.</summary>
internal sealed class LimitedStream(int max) : MemoryStream
{
    /// <summary>What is given as a span comes here too.</summary>
    public override void Write(byte[] buffer, int offset, int count)
    {
        if (Length + count > max)
            throw new LimitException();
        base.Write(buffer, offset, count);
    }
}

internal sealed class LimitException : Exception;
