using System.Text;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Installation;

/// <summary>The wizard: says what happens while it happens. Readable without script; the script is in it only when there is something for
/// it to finish.</summary>
internal sealed class InstallPage(PageFrame pages, Texts texts, PlacementCatalogue catalogue, AppRegistry apps)
{
    private const string FinishScript = "if (window.BX24) BX24.init(function () { BX24.installFinish(); });";

    private static readonly string FinishScriptHash = PageFrame.HashOf(FinishScript);

    private readonly PageFrame _pages = pages;
    private readonly Texts _texts = texts;
    private readonly PlacementCatalogue _catalogue = catalogue;
    private readonly AppRegistry _apps = apps;

    /// <summary>Begins the answer. As a page it is sent at once and grows with the progress; as JSON it is sent when all is
    /// known.</summary>
    public async Task<Outcome> BeginAsync(HttpContext context, PlacementPost post, Uri endpoint)
    {
        var outcome = new Outcome(this, context, post, endpoint);
        await outcome.BeginAsync();
        return outcome;
    }

    public sealed class Outcome(InstallPage page, HttpContext context, PlacementPost post, Uri endpoint) : IAsyncDisposable
    {
        private readonly bool _asJson = Accepts.JsonOnly(context.Request);
        private readonly SemaphoreSlim _writing = new(1);
        private bool _finished;

        private string T(string key) => page._texts.Get(post.Language, key);

        internal Task BeginAsync()
        {
            if (_asJson)
                return Task.CompletedTask;
            PageFrame.Begin(context, page._pages.FramePolicy(endpoint.GetLeftPart(UriPartial.Authority), FinishScriptHash), noStore: true);
            // A proxy that gathers the answer would hide the progress.
            context.Response.Headers["X-Accel-Buffering"] = "no";
            return WriteAsync(Html.Of(
                $"""
                {page._pages.Head(context, post.Language, T("install.title"))}
                <body data-bx24="{page._pages.ScriptUrl}">
                <main>
                <h1>{T("install.title")}</h1>
                <p>{T("install.intro")}</p>
                <ul class="steps" aria-live="polite">

                """));
        }

        public Task ProgressAsync(PlacementOutcome outcome) => _asJson ? Task.CompletedTask : WriteAsync(Html.Of(
            $"""
            <li class="{(outcome.IsRegistered ? "good" : "bad")}" data-placement="{outcome.Placement}">
            <strong>{page._catalogue.TitleOf(outcome.Placement, post.Language)}</strong> <code>{outcome.Placement}</code>
            <span>{(outcome.IsRegistered ? T("install.registered") : T("install.failed"))}</span>{Reason(outcome.Error)}</li>

            """));

        /// <param name="unknownClientId">Of an app that nobody has added yet: its installation is kept.</param>
        public async Task FinishAsync(Reconciliation reconciliation, string? unknownClientId = null)
        {
            var eventsError = reconciliation.Placements.All(static p => p.IsRegistered) ? reconciliation.EventsError : null;
            if (_asJson)
            {
                var installed = new InstalledPortal(post.MemberId, endpoint.IsDefaultPort ? endpoint.IdnHost
                    : $"{endpoint.IdnHost}:{endpoint.Port}");
                var json = new InstallationOutcome(
                    installed, reconciliation.Finished, StoredPlacement.From(reconciliation.Placements), eventsError?.Code,
                        reconciliation.KeysAreWrong ? "invalid_client" : null).Serialize();
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = json.Length;
                context.Response.Headers.CacheControl = "no-store";
                await context.Response.BodyWriter.WriteAsync(json, context.RequestAborted);
                return;
            }

            if (eventsError is { } error)
                await WriteAsync(Html.Of(
                    $"""<li class="bad"><strong>{T("install.events")}</strong> <span>{T("install.failed")}</span>{Reason(error)}</li>"""));
            if (unknownClientId is not null)
                await WriteAsync(Html.Of(
                    $"""<li class="bad" id="unknown-app">{T("install.unknownApp")} <code>{unknownClientId}</code></li>"""));
            if (!reconciliation.Finished && page._apps.MissingKey is { } key)
                await WriteAsync(Html.Of($"""<li class="bad" id="missing-key">{T("install.missingKey")} <code>{key}</code></li>"""));
            if (reconciliation.KeysAreWrong)
                await WriteAsync(Html.Of(
                    $"""
                    <li class="bad" id="wrong-keys">{T("install.wrongKeys")}
                    <code>{page._apps.Find(reconciliation.App)?.ClientId}</code> ({reconciliation.App})</li>
                    """));
            _finished = true;
            await WriteAsync(reconciliation.Finished ? Finished() : NotFinished());
        }

        /// <summary>Until installFinish has been called, nobody on the portal sees any placement.</summary>
        private Markup Finished() => Html.Of(
            $"""
            </ul>
            <p class="outcome good" role="status">{T("install.done")}</p>
            <noscript><p>{T("install.noScript")}</p></noscript>
            </main>
            <script src="{page._pages.ScriptUrl}"></script>
            <script>{new Markup(FinishScript)}</script>
            </body>
            </html>

            """);

        private Markup NotFinished() => Html.Of(
            $"""
            </ul>
            <p class="outcome bad" role="alert">{T("install.notDone")}</p>
            <p><button type="button" id="retry">{T("install.retry")}</button></p>
            </main>
            {page._pages.Module(context, "retry.js")}
            </body>
            </html>

            """);

        private Markup Reason(RestError? error)
        {
            if (error is null)
                return default;
            var text = page._texts.Find(post.Language, "error." + error.Code)
                ?? string.Format(System.Globalization.CultureInfo.InvariantCulture, T("error.other"), error.Code);
            return Html.Of($"""<p class="reason">{text} <code>{error.Code}</code></p>""");
        }

        /// <summary>The installation goes on where the browser has gone away.</summary>
        private async Task WriteAsync(Markup html)
        {
            await _writing.WaitAsync();
            try
            {
                await context.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(html.Value), context.RequestAborted);
            }
            catch (OperationCanceledException)
            {
            }
            finally
            {
                _writing.Release();
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (!_asJson && !_finished)
                await WriteAsync(NotFinished());
            _writing.Dispose();
        }
    }
}
