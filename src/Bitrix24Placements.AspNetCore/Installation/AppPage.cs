using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Installation;

/// <summary>The app's own page: how its placements are on this portal, how fast the worker was, and links to copy.</summary>
internal sealed class AppPage(PageFrame pages, Texts texts, PortalStore portals, WorkerLoads loads, PlacementCatalogue catalogue, DeepLinks links)
{
    public async Task ShowAsync(HttpContext context, AppPageRequest request)
    {
        if (Accepts.JsonOnly(context.Request))
        {
            context.Response.ContentType = "application/json";
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.BodyWriter.WriteAsync(await StatusAsync(request, context.RequestAborted), context.RequestAborted);
            return;
        }

        var portal = request.Known is null ? null : await portals.FindAsync(request.Portal.Id, context.RequestAborted);
        string T(string key) => texts.Get(request.Language, key);
        var hours = portal is null ? [] : await loads.LastDayAsync(portal.Id, context.RequestAborted);
        var html = Html.Of(
            $"""
            {pages.Head(context, request.Language, T("app.title"))}
            <body data-bx24="{pages.ScriptUrl}" data-base="{pages.BasePath(context)}" data-session="{request.Session}">
            <main>
            <h1>{T("app.title")}</h1>
            {(portal is null ? Html.Of($"""<p class="warning">{T("app.unverified")}</p>""") : Tokens(portal, T))}
            {(request.Parameters.Count == 0 ? default : ParameterTable.Render(request.Parameters, T))}
            {Placements(portal, request.Language, T)}
            {LoadPlot.Render(hours, T)}
            {LinkMaker(request.App.Name, T)}
            </main>
            {pages.Module(context, "app.js")}
            </body>
            </html>

            """);
        await PageFrame.WriteAsync(context, pages.FramePolicy(request.Portal.Origin), html, noStore: true);
    }

    private static Markup Tokens(Portal portal, Func<string, string> t)
    {
        var (css, key) = portal.TokenState switch
        {
            TokenState.Good => ("good", "app.tokens.good"),
            TokenState.Failing => ("warning", "app.tokens.failing"),
            _ => ("bad", "app.tokens.dead"),
        };
        return Html.Of($"""<p class="outcome {css}" id="tokens" data-state="{portal.TokenState.ToString().ToLowerInvariant()}">{t(key)}</p>""");
    }

    private Markup Placements(Portal? portal, string language, Func<string, string> t)
    {
        var known = OutcomeJson.ReadPlacements(portal?.Placements);
        var rows = catalogue.Codes.Select(code =>
        {
            var outcome = known.FirstOrDefault(p => p.Placement == code);
            var good = outcome is { Error: null };
            var state = good ? t("install.registered") : t("install.failed");
            var reason = outcome?.Error is { } error ? texts.Find("", "error." + error) is null ? string.Format(CultureInfo.InvariantCulture, t("error.other"), error) : t("error." + error) : null;
            return Html.Of(
                $"""
                <tr data-placement="{code}" data-state="{(good ? "registered" : "failed")}"><th scope="row">{catalogue.TitleOf(code, language)}<br><code>{code}</code></th>
                <td><span class="{(good ? "good" : "bad")}">{(outcome is null ? "–" : state)}</span>{(reason is null ? default : Html.Of($"""<p class="reason">{reason}</p>"""))}</td></tr>
                """);
        });
        var looked = portal is null || portal.ReconciledAt == DateTimeOffset.UnixEpoch ? t("app.never") : portal.ReconciledAt.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        return Html.Of(
            $"""
            <section aria-labelledby="placements">
            <h2 id="placements">{t("app.placements")}</h2>
            <table>
            <thead><tr><th scope="col">{t("app.placement")}</th><th scope="col">{t("app.state")}</th></tr></thead>
            <tbody>{Html.Join(rows)}</tbody>
            </table>
            <p class="small">{t("app.checked")}: {looked}</p>
            </section>
            """);
    }

    private Markup LinkMaker(string app, Func<string, string> t)
    {
        if (links.Example(app) is not { } example)
            return default;
        return Html.Of(
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
            <p id="link-status" class="small" role="status" data-made="{t("app.links.made")}" data-no-session="{t("app.links.noSession")}" data-failed="{t("app.links.failed")}"></p>
            </section>
            """);
    }

    /// <summary>The same as JSON, with the launch context before it.</summary>
    private async Task<byte[]> StatusAsync(AppPageRequest request, CancellationToken cancellationToken)
    {
        var portal = request.Known is null ? null : await portals.FindAsync(request.Portal.Id, cancellationToken);
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            LaunchContextJson.WriteMembers(json, request);
            json.WriteString("tokens", portal?.TokenState.ToString().ToLowerInvariant());
            json.WritePropertyName("placements");
            OutcomeJson.WritePlacements(json, OutcomeJson.ReadPlacements(portal?.Placements));
            json.WriteString("link", links.Example(request.App.Name));
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
