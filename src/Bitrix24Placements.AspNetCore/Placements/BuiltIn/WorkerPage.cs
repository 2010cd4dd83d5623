namespace Bitrix24Placements.Placements;

/// <summary>The same bytes for every user of an app who speaks the same language; its load event waits for nothing but them.</summary>
internal sealed class WorkerPage(PageFrame pages, Texts texts)
{
    /// <summary>A script file, however small, would be waited for by the load event that Bitrix24 measures.</summary>
    private const string Loader = "addEventListener('load',()=>setTimeout(()=>import(document.body.dataset.module).catch(()=>{})))";

    private static readonly string LoaderHash = PageFrame.HashOf(Loader);

    private readonly ConcurrentDictionary<(string ClientId, string Language), byte[]> _pages = new();

    public async Task ShowAsync(HttpContext context, BackgroundWorkerRequest request)
    {
        // All requests come by the same public path; without one, paths differ only in tests.
        var kind = (request.App.ClientId, Language: Texts.Spoken(request.Language));
        if (!_pages.TryGetValue(kind, out var page))
            page = _pages[kind] = Encoding.UTF8.GetBytes(Render(context, kind.ClientId, kind.Language).Value);
        context.Response.ContentType = Markup.ContentType;
        context.Response.ContentLength = page.Length;
        context.Response.Headers.CacheControl = "no-cache";
        // No token: asking for RequestAborted makes one for every load, and a write to a closed connection ends by itself.
        await context.Response.BodyWriter.WriteAsync(page);
    }

    internal Microsoft.Extensions.Primitives.StringValues PolicyFor(PlacementRequest request)
    {
        if (request.Known is not { } known)
            return pages.WorkerPolicy(request.Portal.Origin, LoaderHash);
        if (known.WorkerPolicy.Count == 0)
            known.WorkerPolicy = pages.WorkerPolicy(known.Address.Origin, LoaderHash);
        return known.WorkerPolicy;
    }

    private Markup Render(HttpContext context, string clientId, string language) => Html.Of(
        $"""
        <!DOCTYPE html>
        <html lang="{Texts.HtmlLanguage(language)}">
        <head>
        <meta charset="utf-8">
        <title>{texts.Get(language, "placement.PAGE_BACKGROUND_WORKER")}</title>
        <script>{new Markup(Loader)}</script>
        </head>
        <body data-module="{pages.File(context, "worker.js")}" data-bx24="{pages.ScriptUrl}"
         data-pull="{pages.PullScriptUrl}" data-app="{clientId}">
        </body>
        </html>

        """);
}
