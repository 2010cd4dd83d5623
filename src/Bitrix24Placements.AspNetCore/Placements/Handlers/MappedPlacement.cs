using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <summary>A placement and the code that answers it.</summary>
/// <param name="IsBuiltIn">The page that answers where nobody has mapped his own.</param>
internal sealed record MappedPlacement(string Code, RequestReader Read, Func<HttpContext, PlacementRequest, Task> Handler, bool IsBuiltIn)
{
    public PlacementExpectation Expected { get; } = new(Code);

    /// <summary>Below the service's own address.</summary>
    public string Path { get; } = PathOf(Code);

    public static string PathOf(string code) =>
        code == PlacementCatalogue.Default ? "/" : AppPaths.Placements + "/" + code.ToLowerInvariant().Replace('_', '-');
}
