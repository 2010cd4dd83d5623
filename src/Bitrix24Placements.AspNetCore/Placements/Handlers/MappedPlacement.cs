using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <param name="IsBuiltIn">Where nobody has mapped his own.</param>
internal sealed record MappedPlacement(
    string Code, RequestReader Read, Func<HttpContext, PlacementRequest, Task> Handler, bool IsBuiltIn = false)
{
    public static string PathOf(string code) =>
        code == PlacementCatalogue.Default ? "/" : AppPaths.Placements + "/" + code.ToLowerInvariant().Replace('_', '-');
}
