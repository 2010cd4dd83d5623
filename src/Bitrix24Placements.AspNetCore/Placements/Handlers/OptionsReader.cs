using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Placements;

internal delegate Checked<PlacementRequest> RequestReader(Launch launch);

internal static class OptionsReader
{
    private static readonly Rejection DoNotFit =
        Rejection.Malformed("PLACEMENT_OPTIONS", "These are not the options that this placement is opened with.");

    /// <summary>What a handler of this placement may ask for, and how it is read.</summary>
    public static (Type Request, RequestReader Read) Default(string placement) => placement switch
    {
        PlacementCatalogue.RestAppUri => (typeof(RestAppUriRequest), launch => new RestAppUriRequest(launch)),
        PlacementCatalogue.BackgroundWorker => (typeof(BackgroundWorkerRequest), launch => new BackgroundWorkerRequest(launch)),
        PlacementCatalogue.Default => (typeof(AppPageRequest), launch => new AppPageRequest(launch)),
        _ => (typeof(PlacementRequest), launch => new PlacementRequest<JsonElement>(launch, JsonElement.Parse(launch.Post.Options))),
    };

    public static RequestReader Typed<T>(JsonTypeInfo<T> type) => launch =>
    {
        try
        {
            return JsonSerializer.Deserialize(launch.Post.Options, type) is { } options
                ? new PlacementRequest<T>(launch, options) : DoNotFit;
        }
        catch (JsonException)
        {
            return DoNotFit;
        }
    };

    [RequiresUnreferencedCode(BoundHandler.Reflection)]
    [RequiresDynamicCode(BoundHandler.Reflection)]
    public static RequestReader For(string code, Delegate handler)
    {
        var asked = handler.Method.GetParameters().Select(p => p.ParameterType)
            .FirstOrDefault(t => t.IsAssignableTo(typeof(PlacementRequest)));
        if (asked is { IsGenericType: true })
            return Typed(asked.GetGenericArguments()[0]);
        var (own, read) = Default(code);
        return asked is null || asked == typeof(PlacementRequest) || asked == own ? read
            : throw new StartException($"The handler of {code} asks for a {asked.Name}, which is another placement's.");
    }

    [RequiresUnreferencedCode(BoundHandler.Reflection)]
    [RequiresDynamicCode(BoundHandler.Reflection)]
    private static RequestReader Typed(Type options) =>
        (RequestReader)((Func<RequestReader>)ByReflection<object>).Method.GetGenericMethodDefinition().MakeGenericMethod(options).Invoke(
            null, null)!;

    [RequiresUnreferencedCode(BoundHandler.Reflection)]
    [RequiresDynamicCode(BoundHandler.Reflection)]
    private static RequestReader ByReflection<T>() => Typed((JsonTypeInfo<T>)new JsonSerializerOptions
    {
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    }.GetTypeInfo(typeof(T)));
}
