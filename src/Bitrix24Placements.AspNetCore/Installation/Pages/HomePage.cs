using Bitrix24Placements.Apps;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <summary><c>GET /</c>: what to paste into Bitrix24's form.</summary>
internal sealed class HomePage(PageFrame pages, AppRegistry apps, PlacementCatalogue catalogue, EventBindings bindings,
    Permissions permissions, IOptions<Bitrix24Options> options)
{
    private const string NoPublicUrl =
        "Bitrix24:PublicUrl is not set: the addresses below are those of this request, and nothing can be registered with Bitrix24 yet.";

    private const string NoKeys =
        "Bitrix24:ClientId and Bitrix24:ClientSecret are not set. Bitrix24 shows them after the form is saved; "
        + "an installation that comes before is kept and finished when they are there.";

    private static Markup Warning(string? text) => text is null ? default : Html.Of($"""<p class="warning">{text}</p>""");

    private static Markup Row(string name, string value) =>
        Html.Of($"""<tr><th scope="row"><code>{name}</code></th><td><code>{value}</code></td></tr>""");

    public Task ShowAsync(HttpContext context)
    {
        var bitrix = options.Value;
        var url = bitrix.PublicUrl ?? $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}";
        var html = Html.Of(
            $"""
            {pages.Head(context, Texts.Fallback, "Bitrix24Placements")}
            <body class="window">
            <main>
            <h1>Bitrix24Placements</h1>
            <p>This service is a Bitrix24 app. It lives in its placements: <code>REST_APP_URI</code> opens it from a link in any text,
            <code>PAGE_BACKGROUND_WORKER</code> is a hidden frame on every page.</p>
            {Warning(bitrix.PublicUrl is null ? NoPublicUrl : null)}
            {Warning(apps.MissingKey is { } key ? $"{key} is not set, though the app's other key is." : null)}
            {Warning(apps.HasAny ? null : NoKeys)}
            <h2>Install it as a local app</h2>
            <p>In Bitrix24: Developer resources → Other → Local application → Server.</p>
            <table>
            <thead><tr><th scope="col">Field</th><th scope="col">Value</th></tr></thead>
            <tbody>
            <tr><th scope="row">Your handler path</th><td><code>{url}/</code></td></tr>
            <tr><th scope="row">Initial installation path</th><td><code>{url}/install</code></td></tr>
            <tr><th scope="row">Uses API only</th>
            <td>off for an app with an interface; on, and only the installation path is asked</td></tr>
            <tr><th scope="row">Permissions (scopes)</th>
            <td>{Html.Join(permissions.Needed.Select(scope => Html.Of($"<code>{scope}</code> ")))};
            <code>telephony</code> too if the call card is used.
            <code>profile</code> and <code>app.info</code> need none.</td></tr>
            </tbody>
            </table>
            <h2>What it registers by itself</h2>
            <table>
            <thead><tr><th scope="col">Placement</th><th scope="col">Handler</th></tr></thead>
            <tbody>
            {Html.Join(catalogue.Codes.Select(code => Row(code, url + MappedPlacement.PathOf(code))))}
            {Row(string.Join(", ", bindings.Names), url + AppPaths.Events)}
            </tbody>
            </table>
            <p>For the service's state see <a href="{pages.BasePath(context)}/health/ready">/health/ready</a>.</p>
            </main>
            </body>
            </html>

            """);
        context.Response.Headers.ContentSecurityPolicy = PageFrame.WindowPolicy;
        context.Response.Headers.CacheControl = "no-cache";
        return html.ExecuteAsync(context);
    }
}
