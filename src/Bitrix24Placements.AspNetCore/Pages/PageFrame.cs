using System.Reflection;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

/// <summary>What all pages share, one's own as well: where their files are, who may frame them, what they may load, their frame of
/// HTML.</summary>
public sealed class PageFrame
{
    /// <summary>Changes with every build: files under it may be kept for ever.</summary>
    internal static readonly string Version = Assembly.GetExecutingAssembly().ManifestModule.ModuleVersionId.ToString("n")[..12];

    /// <summary>Below the service's own path.</summary>
    internal const string FilesPath = "/static";

    private readonly string? _publicPath;
    private readonly string _scripts;
    private readonly string _insecure;

    internal PageFrame(IOptions<Bitrix24Options> options)
    {
        var bitrix = options.Value;
        ScriptUrl = bitrix.ScriptUrl;
        PullScriptUrl = bitrix.PullScriptUrl;
        _publicPath = bitrix.PublicUrl is null ? null : new Uri(bitrix.PublicUrl).AbsolutePath.TrimEnd('/');
        var vendors = new[] { OriginOf(bitrix.ScriptUrl), OriginOf(bitrix.PullScriptUrl) }.Distinct();
        _scripts = "'self' " + string.Join(' ', vendors);
        _insecure = bitrix.AllowInsecureHttp ? " http: ws:" : "";
    }

    /// <summary>The vendor's BX24.js.</summary>
    public string ScriptUrl { get; }

    /// <summary>The vendor's BX.PullClient.</summary>
    public string PullScriptUrl { get; }

    /// <summary>Path of the service as browsers see it, without a slash at its end.</summary>
    public string BasePath(HttpContext context) => _publicPath ?? context.Request.PathBase.Value ?? "";

    /// <summary>Address of one of the library's own files: <c>app.css</c>, <c>bx24.js</c>, <c>session.js</c>, …</summary>
    public string File(HttpContext context, string name) => BasePath(context) + FilesPath + "/" + Version + "/" + name;

    /// <summary>The Content-Security-Policy of a page that is shown in a frame of this portal alone. Handlers' answers have it already: it
    /// is set again only to allow more.</summary>
    /// <param name="portalOrigin">See <see cref="PortalAddress.Origin"/>.</param>
    /// <param name="inlineScriptHash">Of the one inline script that may run, if there is one: see <see cref="HashOf"/>.</param>
    public string FramePolicy(string portalOrigin, string? inlineScriptHash = null) =>
        $"default-src 'none'; script-src {(inlineScriptHash is null ? "" : $"'{inlineScriptHash}' ")}{_scripts}; "
        + $"style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self' {portalOrigin}; "
        + $"base-uri 'none'; form-action 'self'; frame-ancestors {portalOrigin}";

    /// <summary>For the hidden worker: the push servers' hosts are not known beforehand.</summary>
    internal string WorkerPolicy(string portalOrigin, string inlineScriptHash) =>
        $"default-src 'none'; script-src '{inlineScriptHash}' {_scripts}; connect-src 'self' {portalOrigin} https: wss:{_insecure}; "
        + $"base-uri 'none'; form-action 'none'; frame-ancestors {portalOrigin}";

    /// <summary>For a page that a person opens in a window of its own.</summary>
    internal const string WindowPolicy =
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>What a Content-Security-Policy calls an inline script.</summary>
    public static string HashOf(string inlineScript) =>
        "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(inlineScript)));

    /// <summary>The beginning of a page, up to its body: language, style, title.</summary>
    /// <param name="language">The request's: Bitrix24's own code.</param>
    public Markup Head(HttpContext context, string language, string title) => Html.Of(
        $"""
        <!DOCTYPE html>
        <html lang="{Texts.HtmlLanguage(language)}">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{title}</title>
        <link rel="stylesheet" href="{File(context, "app.css")}">
        <link rel="icon" href="data:,">
        </head>

        """);

    /// <summary>The body's opening tag, with what the library's scripts need: <c>loadBX24</c> of <c>bx24.js</c>, <c>fetchWithSession</c> of
    /// <c>session.js</c>.</summary>
    /// <param name="session">See <see cref="PlacementRequest.Session"/>.</param>
    public Markup Body(HttpContext context, string session = "") =>
        Html.Of($"""<body data-bx24="{ScriptUrl}" data-base="{BasePath(context)}" data-session="{session}">""");

    /// <summary>One of the library's own modules.</summary>
    public Markup Module(HttpContext context, string name) => Html.Of($"""<script type="module" src="{File(context, name)}"></script>""");

    private static string OriginOf(string url) => new Uri(url).GetLeftPart(UriPartial.Authority);
}
