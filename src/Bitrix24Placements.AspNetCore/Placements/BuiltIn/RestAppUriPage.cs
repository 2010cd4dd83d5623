namespace Bitrix24Placements.Placements;

/// <summary>The page behind a deep link: shows what it was opened with. Made to be replaced by one's own, see the README.</summary>
internal sealed class RestAppUriPage(PageFrame pages, Texts texts)
{
    public Task ShowAsync(HttpContext context, RestAppUriRequest request)
    {
        string T(string key) => texts.Get(request.Language, key);
        var (session, parameters) = (request.Session, request.Options.Parameters);
        var details = Html.Of($"""<details id="context" hidden><summary>{T("link.context")}</summary><pre></pre></details>""");
        var html = Html.Of(
            $"""
            {pages.Head(context, request.Language, T("link.title"))}
            {pages.Body(context, session)}
            <main>
            <h1>{T("link.title")}</h1>
            {(request.Verification == Verification.None ? Html.Of($"""<p class="warning">{T("link.unverified")}</p>""") : default)}
            {(parameters.Count == 0 ? Html.Of($"<p>{T("link.none")}</p>") : ParameterTable.Render(parameters, T))}
            <dl class="facts">
            {(request.Options.Uri is { } uri ? Html.Of($"<dt>{T("link.from")}</dt><dd>{ParameterTable.Shown(uri)}</dd>") : default)}
            {(request.UserId is { } user ? Html.Of($"<dt>{T("link.user")}</dt><dd>{user}</dd>") : default)}
            </dl>
            {(session.Length == 0 ? default : details)}
            <p><button type="button" id="close" hidden>{T("link.close")}</button></p>
            </main>
            {pages.Module(context, "rest-app-uri.js")}
            </body>
            </html>

            """);
        return html.ExecuteAsync(context);
    }
}
