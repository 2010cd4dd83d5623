using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Installation;

/// <summary>One entry of <c>placement.get</c>. It stays in memory while its portal is called, and hundreds may not answer.</summary>
/// <param name="UserId">0: for everybody.</param>
/// <param name="ErrorHandlerUrl">Null where the portal does not tell.</param>
/// <param name="Titles">By language, each cut off at <see cref="MaxTitle"/>.</param>
/// <remarks>https://apidocs.bitrix24.com/api-reference/widgets/placement-get.html</remarks>
internal sealed record Registration(
    string Placement, long UserId, string Handler, string? ErrorHandlerUrl, IReadOnlyDictionary<string, string> Titles)
{
    /// <summary>Each that is in the way costs a call.</summary>
    public const int Max = 500;

    /// <summary>In characters, of all: what comes after them is looked at when these are gone.</summary>
    private const int MaxLength = 32 * 1024;

    /// <summary>In characters: longer ones are nobody's.</summary>
    public const int MaxAddress = 2048;

    private const int MaxTitle = 256, MaxLanguages = 64;

    private bool IsAddressed =>
        Placement.Length <= MaxAddress && Handler.Length <= MaxAddress && ErrorHandlerUrl is null or { Length: <= MaxAddress };

    private int Length =>
        Placement.Length + Handler.Length + (ErrorHandlerUrl ?? "").Length + Titles.Sum(static t => t.Key.Length + t.Value.Length);

    public static async Task<RestResult<List<Registration>>> AllAsync(RestClient rest, PortalId id, CancellationToken cancellationToken)
    {
        var answer = await rest.CallAsync(id, RestCall.Own("placement.get"), cancellationToken);
        return answer.Ok ? ReadAll(answer.Value) : answer.Error;
    }

    public bool Is(DeclaredPlacement declared) =>
        Placement == declared.Placement && UserId == 0 && Handler == declared.Handler
        && (declared.ErrorHandlerUrl is null || ErrorHandlerUrl is null || ErrorHandlerUrl == declared.ErrorHandlerUrl);

    public bool IsCalled(JsonNode? langAll) =>
        langAll is not JsonObject languages
        || languages.All(l => !Titles.TryGetValue(l.Key, out var title) || title == Cut((string?)l.Value?["TITLE"] ?? ""));

    public static bool IsThere(IEnumerable<Registration> registered, DeclaredPlacement declared) =>
        registered.Where(r => r.Placement == declared.Placement).ToList() is [var only] && only.Is(declared);

    internal static List<Registration> ReadAll(JsonElement answer)
    {
        var (all, room) = (new List<Registration>(), MaxLength);
        foreach (var registration in answer.Entries().Take(Max).Select(Read).Where(static r => r.IsAddressed))
        {
            room -= registration.Length;
            if (room < 0)
                break;
            all.Add(registration);
        }

        return all;
    }

    private static Registration Read(JsonElement entry) => new(
        entry.Text("placement") ?? "", entry.Number("userId") ?? 0, entry.Text("handler") ?? "",
        entry.Member("options").Text("errorHandlerUrl"), ReadTitles(entry.Member("langAll")));

    private static Dictionary<string, string> ReadTitles(JsonElement langAll)
    {
        var titles = new Dictionary<string, string>();
        if (langAll.ValueKind != JsonValueKind.Object)
            return titles;
        foreach (var language in langAll.EnumerateObject().Take(MaxLanguages))
        {
            if (language.Key() is { Length: <= MaxTitle } key && language.Value.Text("TITLE") is { } title)
                titles.TryAdd(key, Cut(title));
        }

        return titles;
    }

    private static string Cut(string title) => title.Length <= MaxTitle ? title : title[..MaxTitle];
}
