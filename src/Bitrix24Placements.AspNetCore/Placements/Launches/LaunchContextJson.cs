using System.Buffers;
using System.Text.Encodings.Web;

namespace Bitrix24Placements.Placements;

/// <summary>A record of its own, so that no token can slip in.</summary>
internal sealed record LaunchContext(
    string Placement, ContextPortal Portal, string Language, string ApplicationSid, string? ApplicationStatus, long? UserId,
    string Verification, object Options, IReadOnlyDictionary<string, string> HandlerQuery);

internal sealed record ContextPortal(string MemberId, string Domain, string Protocol);

internal sealed record AppPageOptions(IReadOnlyDictionary<string, JsonElement> Parameters);

internal static class LaunchContextJson
{
    /// <summary>Options may be as large as a body, and escaped they grow.</summary>
    private const int MaxBytes = 64 * 1024;

    /// <summary>Null where it is too large.</summary>
    public static byte[]? Write(PlacementRequest request)
    {
        var context = new LaunchContext(
            request.Placement, new(request.Portal.MemberId, request.Portal.Domain, request.Portal.Protocol), request.Language,
            request.ApplicationSid, request.ApplicationStatus, request.UserId,
            JsonNamingPolicy.CamelCase.ConvertName(request.Verification.ToString()), OptionsOf(request), request.HandlerQuery);
        var json = new LimitedBuffer(MaxBytes);
        try
        {
            using var writer = new Utf8JsonWriter(json, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            JsonSerializer.Serialize(writer, context, ContextJson.Default.LaunchContext);
            writer.Flush();
            return json.Written;
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

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LaunchContext))]
[JsonSerializable(typeof(RestAppUriOptions))]
[JsonSerializable(typeof(BackgroundWorkerOptions))]
[JsonSerializable(typeof(AppPageOptions))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class ContextJson : JsonSerializerContext;

internal sealed class LimitedBuffer(int max) : IBufferWriter<byte>
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public byte[] Written => _buffer.WrittenSpan.ToArray();

    public void Advance(int count) => _buffer.Advance(count);

    public Memory<byte> GetMemory(int sizeHint = 0) => _buffer.WrittenCount + sizeHint > max ? throw new LimitException()
        : _buffer.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}

internal sealed class LimitException : Exception;
