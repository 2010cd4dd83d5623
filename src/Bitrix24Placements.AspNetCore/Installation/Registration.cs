using System.Text.Json;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Installation;

/// <summary>One entry of <c>placement.get</c>.</summary>
/// <param name="UserId">0: for everybody.</param>
/// <param name="ErrorHandlerUrl">Null where the portal does not tell.</param>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/placement-get.html</remarks>
internal sealed record Registration(string Placement, long UserId, string Handler, string? ErrorHandlerUrl)
{
    public static List<Registration> ReadAll(JsonElement result) =>
        result.ValueKind != JsonValueKind.Array
            ? []
            : [.. result.EnumerateArray().Select(static e => new Registration(e.Text("placement") ?? "", e.Number("userId") ?? 0, e.Text("handler") ?? "", e.Member("options").Text("errorHandlerUrl")))];

    public bool Is(DeclaredPlacement declared) =>
        Placement == declared.Placement && UserId == 0 && Handler == declared.Handler
        && (declared.ErrorHandlerUrl is null || ErrorHandlerUrl is null || ErrorHandlerUrl == declared.ErrorHandlerUrl);

    /// <summary>Exactly one registration of the placement, and that the declared one.</summary>
    public static bool IsRight(IReadOnlyList<Registration> registered, DeclaredPlacement declared) =>
        registered.Where(r => r.Placement == declared.Placement).ToList() is [var only] && only.Is(declared);
}
