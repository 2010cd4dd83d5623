using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Placements;

/// <summary>One placement as it shall be registered.</summary>
internal sealed record DeclaredPlacement(string Placement, string Handler, string? ErrorHandlerUrl);

/// <summary>The placements that the app has, which code answers them, and under which addresses. Filled while endpoints are mapped, read
/// afterwards.</summary>
internal sealed class PlacementCatalogue(IOptions<Bitrix24Options> options, Texts texts, IEnumerable<IDeclaredEvents> events)
{
    public const string RestAppUri = "REST_APP_URI";
    public const string BackgroundWorker = "PAGE_BACKGROUND_WORKER";

    /// <summary>The app's own page, and the installation.</summary>
    public const string Default = "DEFAULT";

    private readonly string? _publicUrl = options.Value.PublicUrl;
    private readonly Dictionary<string, MappedPlacement> _mapped = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlacementTitles> _titles = new(StringComparer.Ordinal);
    private readonly List<string> _codes = [RestAppUri, BackgroundWorker];

    /// <summary>Every placement that shall be registered; the two universal ones whoever answers them.</summary>
    public IReadOnlyList<string> Codes => _codes;

    /// <summary>What <c>POST /placements</c> serves.</summary>
    public PlacementExpectation All { get; private set; } = new(RestAppUri, BackgroundWorker);

    /// <summary>Whether there is an address to register: <c>Bitrix24:PublicUrl</c>.</summary>
    public bool CanDeclare => _publicUrl is not null;

    /// <summary>Stands for what is declared now: portals that were reconciled for another one are looked at again.</summary>
    public string Declaration
    {
        get
        {
            if (_publicUrl is null)
                return "";
            var declared = new JsonArray(
                [.. Handlers().Select(BindParameters), .. events.SelectMany(static e => e.Names).Order().Select(static n => (JsonNode)n)]);
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_publicUrl + declared.ToJsonString())))[..16];
        }
    }

    public string? EventsUrl => _publicUrl + AppPaths.Events;

    /// <exception cref="InvalidOperationException">Somebody else answers this placement already.</exception>
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

    /// <summary>The handlers' addresses, the same for every portal.</summary>
    public IReadOnlyList<DeclaredPlacement> Handlers() =>
        [.. _codes.Select(code => new DeclaredPlacement(code, _publicUrl + MappedPlacement.PathOf(code), null))];

    /// <summary>With the portal's own address for removal notices.</summary>
    public IReadOnlyList<DeclaredPlacement> For(Portal portal) =>
        [.. Handlers().Select(h => h.Placement == BackgroundWorker
            ? h with { ErrorHandlerUrl = _publicUrl + AppPaths.Removed + portal.RemovalKey.Reveal() } : h)];

    /// <summary>The parameters of <c>placement.bind</c>, with titles in every language that the service speaks.</summary>
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

    /// <summary>What a placement is called in a language.</summary>
    public string TitleOf(string code, string language) =>
        _titles.GetValueOrDefault(code)?.Find("TITLE", language) ?? texts.Find(language, "placement." + code) ?? code;
}
