using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

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
    private readonly Dictionary<string, PlacementTitles> _titles = [];
    private readonly List<string> _codes = [RestAppUri, BackgroundWorker];

    /// <summary>The two universal ones whoever answers them.</summary>
    public IReadOnlyList<string> Codes => _codes;

    public PlacementExpectation All { get; private set; } = new(RestAppUri, BackgroundWorker);

    /// <summary>Without <c>Bitrix24:PublicUrl</c> there is no address to register.</summary>
    public bool CanDeclare => _publicUrl is not null;

    /// <summary>Portals that were reconciled for another one are looked at again.</summary>
    public string Declaration
    {
        get
        {
            if (_publicUrl is null)
                return "";
            var declared = new JsonArray(
                [.. Handlers().Select(BindParameters), .. events.SelectMany(e => e.Names).Order().Select(n => (JsonNode)n)]);
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_publicUrl + declared.ToJsonString())))[..16];
        }
    }

    public string? EventsUrl => _publicUrl + AppPaths.Events;

    public void Add(MappedPlacement placement)
    {
        var known = _mapped.GetValueOrDefault(placement.Code);
        if (known is not null && placement.IsBuiltIn)
            return;
        if (known is { IsBuiltIn: false })
            throw new StartException($"Two handlers are mapped for the placement {placement.Code}: one of them has to go.");
        _mapped[placement.Code] = placement;
        if (placement.Code == Default || _codes.Contains(placement.Code))
            return;
        _codes.Add(placement.Code);
        All = new([.. _codes]);
    }

    public MappedPlacement Find(string code) => _mapped[code];

    public PlacementTitles TitlesOf(string code) =>
        _titles.TryGetValue(code, out var titles) ? titles : _titles[code] = new();

    public IReadOnlyList<DeclaredPlacement> Handlers() =>
        [.. _codes.Select(code => new DeclaredPlacement(code, _publicUrl + MappedPlacement.PathOf(code), null))];

    /// <summary>With the portal's own address for removal notices.</summary>
    public IReadOnlyList<DeclaredPlacement> For(Portal portal) =>
        [.. Handlers().Select(h => h.Placement == BackgroundWorker
            ? h with { ErrorHandlerUrl = _publicUrl + AppPaths.Removed + portal.RemovalKey.Reveal() } : h)];

    /// <summary>Of <c>placement.bind</c>, with titles in every language that the service speaks.</summary>
    public JsonObject BindParameters(DeclaredPlacement declared)
    {
        var titles = _titles.GetValueOrDefault(declared.Placement) ?? new();
        var parameters = new JsonObject
        {
            ["PLACEMENT"] = declared.Placement,
            ["HANDLER"] = declared.Handler,
            ["LANG_ALL"] = titles.InAll(Texts.Languages, (name, language) => name switch
            {
                "TITLE" => TitleOf(declared.Placement, language),
                "DESCRIPTION" => texts.Find(language, "placement." + declared.Placement + ".description") ?? "",
                _ => "",
            }),
        };
        if (declared.ErrorHandlerUrl is not null)
            parameters["OPTIONS"] = new JsonObject { ["errorHandlerUrl"] = declared.ErrorHandlerUrl };
        return parameters;
    }

    public string TitleOf(string code, string language) =>
        _titles.GetValueOrDefault(code)?.Find("TITLE", language) ?? texts.Find(language, "placement." + code) ?? code;
}
