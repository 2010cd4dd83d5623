using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Placements;

/// <summary>One placement as it shall be registered.</summary>
internal sealed record DeclaredPlacement(string Placement, string Handler, string? ErrorHandlerUrl);

/// <summary>The placements that the app has, and under which addresses.</summary>
internal sealed class PlacementCatalogue
{
    public const string RestAppUri = "REST_APP_URI";
    public const string BackgroundWorker = "PAGE_BACKGROUND_WORKER";

    /// <summary>The app's own page, and the installation.</summary>
    public const string Default = "DEFAULT";

    private readonly string? _publicUrl;
    private readonly Texts _texts;

    public PlacementCatalogue(IOptions<Bitrix24Options> options, Texts texts)
    {
        _publicUrl = options.Value.PublicUrl;
        _texts = texts;
        Declaration = _publicUrl is null ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("1|" + _publicUrl)))[..16];
    }

    public static IReadOnlyList<string> Codes { get; } = [RestAppUri, BackgroundWorker];

    /// <summary>Whether there is an address to register: <c>Bitrix24:PublicUrl</c>.</summary>
    public bool CanDeclare => _publicUrl is not null;

    /// <summary>Stands for what is declared now: portals that were reconciled for another one are looked at again.</summary>
    public string Declaration { get; }

    public string? EventsUrl => _publicUrl + AppPaths.Events;

    /// <summary>The handlers' addresses, the same for every portal.</summary>
    public IReadOnlyList<DeclaredPlacement> Handlers() =>
    [
        new(RestAppUri, _publicUrl + AppPaths.RestAppUri, null),
        new(BackgroundWorker, _publicUrl + AppPaths.BackgroundWorker, null),
    ];

    /// <summary>With the portal's own address for removal notices.</summary>
    public IReadOnlyList<DeclaredPlacement> For(Portal portal) =>
        [.. Handlers().Select(h => h.Placement == BackgroundWorker ? h with { ErrorHandlerUrl = _publicUrl + AppPaths.Removed + portal.RemovalKey.Reveal() } : h)];

    /// <summary>The parameters of <c>placement.bind</c>, with titles in every language that the service speaks.</summary>
    public JsonObject BindParameters(DeclaredPlacement declared)
    {
        var titles = new JsonObject();
        foreach (var language in Texts.Languages)
        {
            titles[language] = new JsonObject
            {
                ["TITLE"] = _texts.Get(language, "placement." + declared.Placement),
                ["DESCRIPTION"] = _texts.Get(language, "placement." + declared.Placement + ".description"),
                ["GROUP_NAME"] = "",
            };
        }

        var parameters = new JsonObject { ["PLACEMENT"] = declared.Placement, ["HANDLER"] = declared.Handler, ["LANG_ALL"] = titles };
        if (declared.ErrorHandlerUrl is not null)
            parameters["OPTIONS"] = new JsonObject { ["errorHandlerUrl"] = declared.ErrorHandlerUrl };
        return parameters;
    }
}
