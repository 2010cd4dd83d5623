using System.Text.Encodings.Web;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Installation;

/// <summary>State of the placements, speed of the worker, links to copy.</summary>
internal sealed class AppPage(
    PageFrame pages, Texts texts, PlacementCatalogue catalogue, PortalStore portals, WorkerLoads loads, DeepLinks links,
    KeyTroubles troubles, IEnumerable<IAppPagePart> parts)
{
    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task ShowAsync(HttpContext context, AppPageRequest request)
    {
        var portal = request.Known is null ? null : await portals.FindAsync(request.Portal.Id, context.RequestAborted);
        if (Accepts.JsonOnly(context.Request))
        {
            await context.Response.WriteJsonAsync(Encoding.UTF8.GetBytes(Status(request, portal).ToJsonString(Readable)));
            return;
        }

        string T(string key) => texts.Get(request.Language, key);
        var hours = portal is null ? [] : await loads.LastDayAsync(portal.Id, context.RequestAborted);
        var more = await Task.WhenAll(parts.Select(p => p.RenderAsync(context, request)));
        var html = Html.Of(
            $"""
            {pages.Head(context, request.Language, T("app.title"))}
            {pages.Body(context, request.Session)}
            <main>
            <h1>{T("app.title")}</h1>
            {(portal is null ? Html.Of($"""<p class="warning">{T("app.unverified")}</p>""") : State(portal, request.App, T))}
            {(request.Parameters.Count == 0 ? default : ParameterTable.Render(request.Parameters, T))}
            {Placements(portal, request.Language)}
            {LoadPlot.Render(hours, T)}
            {Html.Join(more)}
            {LinkMaker(request.App.Name, T)}
            </main>
            {pages.Module(context, "app.js")}
            </body>
            </html>

            """);
        await html.ExecuteAsync(context);
    }

    private Markup State(Portal portal, AppInfo app, Func<string, string> t)
    {
        var (css, key) = portal.TokenState switch
        {
            TokenState.Good => ("good", "app.tokens.good"),
            TokenState.Failing => ("warning", "app.tokens.failing"),
            _ => ("bad", "app.tokens.dead"),
        };
        return Html.Of(
            $"""
            <p class="small" id="app">{t("app.app")}: <strong>{app.Name}</strong> <code>{app.ClientId}</code></p>
            <p class="outcome {css}" id="tokens" data-state="{portal.TokenState.ToString().ToLowerInvariant()}">{t(key)}</p>
            {(!portal.IsAdministrator ? Html.Of($"""<p class="outcome warning" id="reserve">{t("app.tokens.reserve")}</p>""") : default)}
            {(troubles.Has(portal.Id.App) ? Html.Of($"""<p class="outcome bad" id="keys">{t("app.keys")}</p>""") : default)}
            """);
    }

    private Markup Placements(Portal? portal, string language)
    {
        string T(string key) => texts.Get(language, key);
        var known = PlacementOutcome.Read(portal?.Placements);
        var rows = catalogue.Codes.Select(code =>
        {
            var outcome = Array.Find(known, p => p.Placement == code);
            var (css, state, word) = outcome is { IsRegistered: true } ? ("good", "registered", "install.registered")
                : ("bad", "failed", "install.failed");
            return Html.Of(
                $"""
                <tr data-placement="{code}" data-state="{state}">
                <th scope="row">{catalogue.TitleOf(code, language)}<br><code>{code}</code></th>
                <td><span class="{css}">{(outcome is null ? "–" : T(word))}</span>
                {(outcome?.Error is { } error ? Html.Of($"""<p class="reason">{texts.OfError(language, error)}</p>""") : default)}</td></tr>
                """);
        });
        var looked = portal is null || portal.ReconciledAt == DateTimeOffset.UnixEpoch ? T("app.never")
            : portal.ReconciledAt.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        return Html.Of(
            $"""
            <section aria-labelledby="placements">
            <h2 id="placements">{T("app.placements")}</h2>
            <table>
            <thead><tr><th scope="col">{T("app.placement")}</th><th scope="col">{T("app.state")}</th></tr></thead>
            <tbody>{Html.Join(rows)}</tbody>
            </table>
            <p class="small">{T("app.checked")}: {looked}</p>
            </section>
            """);
    }

    private Markup LinkMaker(string app, Func<string, string> t) => links.Example(app) is not { } example ? default : Html.Of(
        $"""
        <section aria-labelledby="links">
        <h2 id="links">{t("app.links")}</h2>
        <p>{t("app.links.intro")}</p>
        <form id="link-form">
        <label>{t("app.links.name")} <input name="name" value="docId" required maxlength="64" pattern="[^\[\]&amp;=]+"></label>
        <label>{t("app.links.value")} <input name="value" value="42" maxlength="1000"></label>
        <button type="submit">{t("app.links.make")}</button>
        </form>
        <p class="result"><label>{t("app.links.result")} <input id="link" readonly value="{example}"></label>
        <button type="button" id="copy" data-copied="{t("app.links.copied")}">{t("app.links.copy")}</button></p>
        <p id="link-status" class="small" role="status" data-made="{t("app.links.made")}"
        data-no-session="{t("app.links.noSession")}" data-failed="{t("app.links.failed")}"></p>
        </section>
        """);

    private JsonObject Status(AppPageRequest request, Portal? portal)
    {
        var status = LaunchContextJson.Write(request) is { } launch && JsonNode.Parse(launch) is JsonObject told ? told : [];
        status["app"] = request.App.Name;
        status["tokens"] = portal?.TokenState.ToString().ToLowerInvariant();
        status["reserveInUse"] = portal is { IsAdministrator: false };
        status["keysAreWrong"] = troubles.Has(request.App.Name);
        status["placements"] = JsonSerializer.SerializeToNode(PlacementOutcome.Read(portal?.Placements),
            InstallationJson.Default.PlacementOutcomeArray);
        status["link"] = links.Example(request.App.Name);
        return status;
    }
}
