using Bitrix24Placements.Apps;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

internal sealed record InstallPageParts(
    PageFrame Frame, Texts Texts, PlacementCatalogue Catalogue, AppRegistry Apps, KeyTroubles Troubles);

/// <summary>The wizard's answer: a page that grows with the progress and can be read without script, or JSON when all is known.</summary>
internal sealed class InstallPage(InstallPageParts parts, HttpContext context, PlacementPost post, Uri endpoint) : IAsyncDisposable
{
    private const string FinishScript = "if (window.BX24) BX24.init(function () { BX24.installFinish(); });";

    private static readonly string FinishScriptHash = PageFrame.HashOf(FinishScript);

    private readonly bool _asJson = Accepts.JsonOnly(context.Request);
    private bool _finished;

    public Task BeginAsync()
    {
        if (_asJson)
            return Task.CompletedTask;
        var headers = context.Response.Headers;
        context.Response.ContentType = Markup.ContentType;
        headers.ContentSecurityPolicy = parts.Frame.FramePolicy(endpoint.GetLeftPart(UriPartial.Authority), FinishScriptHash);
        headers.CacheControl = "no-store";
        // A proxy must not gather the answer.
        headers["X-Accel-Buffering"] = "no";
        return WriteAsync(
            $"""
            {parts.Frame.Head(context, post.Language, T("install.title"))}
            <body data-bx24="{parts.Frame.ScriptUrl}">
            <main>
            <h1>{T("install.title")}</h1>
            <p>{T("install.intro")}</p>
            <ul class="steps" aria-live="polite">

            """);
    }

    public Task ProgressAsync(PlacementOutcome outcome) => WriteAsync(
        $"""
        <li class="{(outcome.IsRegistered ? "good" : "bad")}" data-placement="{outcome.Placement}">
        <strong>{parts.Catalogue.TitleOf(outcome.Placement, post.Language)}</strong> <code>{outcome.Placement}</code>
        <span>{T(outcome.IsRegistered ? "install.registered" : "install.failed")}</span>
        {Reason(outcome.Error)}</li>

        """);

    /// <param name="app">Whose keys it needs.</param>
    /// <param name="unknownClientId">Of an app that nobody has added yet.</param>
    public async Task FinishAsync(Reconciliation reconciliation, string? app = null, string? unknownClientId = null)
    {
        var eventsError = reconciliation.Placements.All(p => p.IsRegistered) ? reconciliation.EventsError?.Code : null;
        var keysAreWrong = app is not null && parts.Troubles.Has(app);
        if (_asJson)
        {
            var domain = endpoint.IsDefaultPort ? endpoint.IdnHost : $"{endpoint.IdnHost}:{endpoint.Port}";
            await context.Response.WriteJsonAsync(new InstallationOutcome(
                new(post.MemberId, domain), reconciliation.Finished, reconciliation.Placements, eventsError,
                keysAreWrong ? RestErrors.InvalidClient : null).Serialize());
            return;
        }

        if (eventsError is not null)
            await WriteAsync(
                $"""<li class="bad"><strong>{T("install.events")}</strong> <span>{T("install.failed")}</span>{Reason(eventsError)}</li>""");
        if (unknownClientId is not null)
            await WriteAsync($"""<li class="bad" id="unknown-app">{T("install.unknownApp")} <code>{unknownClientId}</code></li>""");
        if (!reconciliation.Finished && parts.Apps.MissingKey is { } key)
            await WriteAsync($"""<li class="bad" id="missing-key">{T("install.missingKey")} <code>{key}</code></li>""");
        if (keysAreWrong)
            await WriteAsync(
                $"""
                <li class="bad" id="wrong-keys">{T("install.wrongKeys")}
                <code>{parts.Apps.Find(app!)?.ClientId}</code> ({app})</li>
                """);
        _finished = true;
        await (reconciliation.Finished ? EndFinishedAsync() : EndUnfinishedAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (!_finished)
            await EndUnfinishedAsync();
    }

    /// <summary>Before installFinish is called, nobody on the portal sees any placement.</summary>
    private Task EndFinishedAsync() => WriteAsync(
        $"""
        </ul>
        <p class="outcome good" role="status">{T("install.done")}</p>
        <noscript><p>{T("install.noScript")}</p></noscript>
        </main>
        <script src="{parts.Frame.ScriptUrl}"></script>
        <script>{new Markup(FinishScript)}</script>
        </body>
        </html>

        """);

    private Task EndUnfinishedAsync() => WriteAsync(
        $"""
        </ul>
        <p class="outcome bad" role="alert">{T("install.notDone")}</p>
        <p><button type="button" id="retry">{T("install.retry")}</button></p>
        </main>
        {parts.Frame.Module(context, "retry.js")}
        </body>
        </html>

        """);

    private string T(string key) => parts.Texts.Get(post.Language, key);

    private Markup Reason(string? code) => code is null ? default
        : Html.Of($"""<p class="reason">{parts.Texts.OfError(post.Language, code)} <code>{code}</code></p>""");

    private Task WriteAsync(HtmlInterpolation html) => WriteAsync(html.ToMarkup());

    /// <summary>The installation goes on without the browser.</summary>
    private async Task WriteAsync(Markup html)
    {
        if (_asJson)
            return;
        try
        {
            await context.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(html.Value), context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
        }
    }
}
