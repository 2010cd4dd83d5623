using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Placements;

internal sealed record DeclaredPlacement(string Placement, string Handler, string? ErrorHandlerUrl);

/// <summary>Filled while endpoints are mapped, read afterwards.</summary>
internal sealed class PlacementCatalogue(IOptions<Bitrix24Options> options, Texts texts, IEnumerable<IDeclaredEvents> events)
{
    public const string RestAppUri = "REST_APP_URI";
    public const string BackgroundWorker = "PAGE_BACKGROUND_WORKER";

    /// <summary>The app's own page, and the installation.</summary>
    public const string Default = "DEFAULT";

    private readonly string? _publicUrl = options.Value.PublicUrl;
    private readonly Dictionary<string, MappedPlacement> _mapped = [];
    private readonly ConcurrentDictionary<string, PlacementTitles> _titles = [];

    /// <summary>The universal ones whoever answers them.</summary>
    public IReadOnlyList<string> Codes => All.Placements;

    public PlacementExpectation All { get; private set; } = new(RestAppUri, BackgroundWorker);

    public bool CanDeclare => _publicUrl is not null;

    /// <summary>Portals reconciled for another one are looked at again.</summary>
    public string Declaration
    {
        get
        {
            if (_publicUrl is null)
                return "";
            var declared = new JsonArray(
                [.. Handlers().Select(BindParameters), .. events.SelectMany(e => e.Names).Order().Select(n => (JsonNode)n)]);
            return ShortHash.Of(_publicUrl + declared.ToJsonString());
        }
    }

    public string? EventsUrl => _publicUrl + AppPaths.Events;

    public void Add(MappedPlacement placement)
    {
        var code = placement.Code;
        if (_mapped.TryGetValue(code, out var known))
        {
            if (placement.IsBuiltIn)
                return;
            if (!known.IsBuiltIn)
                throw new StartException($"Two handlers are mapped for the placement {code}: one of them has to go.");
        }

        _mapped[code] = placement;
        if (code != Default && !Codes.Contains(code))
            All = new([.. Codes, code]);
    }

    public MappedPlacement Find(string code) => _mapped[code];

    public PlacementTitles TitlesOf(string code) => _titles.GetOrAdd(code, _ => new());

    public IReadOnlyList<DeclaredPlacement> Handlers() =>
        [.. Codes.Select(code => new DeclaredPlacement(code, _publicUrl + MappedPlacement.PathOf(code), null))];

    /// <summary>With its own address for removal notices.</summary>
    public IReadOnlyList<DeclaredPlacement> For(Portal portal) =>
        [.. Handlers().Select(h => h.Placement == BackgroundWorker
            ? h with { ErrorHandlerUrl = _publicUrl + AppPaths.Removed + portal.RemovalKey.Reveal() } : h)];

    public JsonObject BindParameters(DeclaredPlacement declared)
    {
        var code = declared.Placement;
        var titles = TitlesOf(code);
        var inAll = Texts.Languages.Union(titles.Languages).Select(language => KeyValuePair.Create(language, (JsonNode?)new JsonObject
        {
            ["TITLE"] = TitleOf(code, language),
            ["DESCRIPTION"] = titles.Find("DESCRIPTION", language) ?? texts.Find(language, $"placement.{code}.description") ?? "",
            ["GROUP_NAME"] = titles.Find("GROUP_NAME", language) ?? "",
        }));
        var parameters = new JsonObject
        {
            ["PLACEMENT"] = code,
            ["HANDLER"] = declared.Handler,
            ["LANG_ALL"] = new JsonObject(inAll),
        };
        if (declared.ErrorHandlerUrl is not null)
            parameters["OPTIONS"] = new JsonObject { ["errorHandlerUrl"] = declared.ErrorHandlerUrl };
        return parameters;
    }

    public string TitleOf(string code, string language) =>
        TitlesOf(code).Find("TITLE", language) ?? texts.Find(language, "placement." + code) ?? code;
}
