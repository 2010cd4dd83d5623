using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Installation;

/// <summary>One entry of <c>placement.get</c>.</summary>
/// <param name="UserId">0: for everybody.</param>
/// <param name="ErrorHandlerUrl">Null where the portal does not tell.</param>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/placement-get.html</remarks>
internal sealed record Registration(string Placement, long UserId, string Handler, string? ErrorHandlerUrl, JsonElement LangAll)
{
    /// <summary>Each that is in the way costs a call.</summary>
    private const int Max = 500;

    public static async Task<RestResult<List<Registration>>> AllAsync(RestClient rest, PortalId id, CancellationToken cancellationToken)
    {
        var answer = await rest.CallAsync(id, RestCall.Own("placement.get"), cancellationToken);
        return answer.Ok ? answer.Value.Entries().Take(Max).Select(Read).ToList() : answer.Error;
    }

    private static Registration Read(JsonElement entry) => new(
        entry.Text("placement") ?? "", entry.Number("userId") ?? 0, entry.Text("handler") ?? "",
        entry.Member("options").Text("errorHandlerUrl"),
        // Or the whole answer would stay in memory.
        entry.Member("langAll") is { ValueKind: JsonValueKind.Object } langAll ? langAll.Clone() : default);

    public bool Is(DeclaredPlacement declared) =>
        Placement == declared.Placement && UserId == 0 && Handler == declared.Handler
        && (declared.ErrorHandlerUrl is null || ErrorHandlerUrl is null || ErrorHandlerUrl == declared.ErrorHandlerUrl);

    public bool IsCalled(JsonNode? langAll) =>
        langAll is not JsonObject languages
        || languages.All(l => LangAll.Member(l.Key).Text("TITLE") is not { } title || title == (string?)l.Value?["TITLE"]);

    public static bool IsThere(IEnumerable<Registration> registered, DeclaredPlacement declared) =>
        registered.Where(r => r.Placement == declared.Placement).ToList() is [var only] && only.Is(declared);
}
