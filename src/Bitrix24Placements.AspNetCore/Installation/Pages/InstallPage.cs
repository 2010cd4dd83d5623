using Bitrix24Placements.Apps;
using Bitrix24Placements.Placements;

namespace Bitrix24Placements.Installation;

/// <summary>The wizard, in the pieces in which it is sent. Readable without script; that is in it only when there is something for it to
/// finish.</summary>
internal sealed class InstallPage(PageFrame pages, Texts texts, PlacementCatalogue catalogue, AppRegistry apps)
{
    private const string FinishScript = "if (window.BX24) BX24.init(function () { BX24.installFinish(); });";

    private static readonly string FinishScriptHash = PageFrame.HashOf(FinishScript);

    /// <summary>A page is sent at once and grows with the progress; JSON when all is known.</summary>
    public async Task<InstallAnswer> BeginAsync(HttpContext context, PlacementPost post, Uri endpoint)
    {
        var answer = new InstallAnswer(this, context, post, endpoint);
        await answer.BeginAsync();
        return answer;
    }

    public string PolicyFor(Uri endpoint) => pages.FramePolicy(endpoint.GetLeftPart(UriPartial.Authority), FinishScriptHash);

    public Markup Beginning(HttpContext context, string language) => Html.Of(
        $"""
        {pages.Head(context, language, texts.Get(language, "install.title"))}
        <body data-bx24="{pages.ScriptUrl}">
        <main>
        <h1>{texts.Get(language, "install.title")}</h1>
        <p>{texts.Get(language, "install.intro")}</p>
        <ul class="steps" aria-live="polite">

        """);

    public Markup Step(PlacementOutcome outcome, string language) => Html.Of(
        $"""
        <li class="{(outcome.IsRegistered ? "good" : "bad")}" data-placement="{outcome.Placement}">
        <strong>{catalogue.TitleOf(outcome.Placement, language)}</strong> <code>{outcome.Placement}</code>
        <span>{texts.Get(language, outcome.IsRegistered ? "install.registered" : "install.failed")}</span>
        {Reason(outcome.Error, language)}</li>

        """);

    public Markup EventsFailed(RestError error, string language)
    {
        var (events, failed) = (texts.Get(language, "install.events"), texts.Get(language, "install.failed"));
        return Html.Of($"""<li class="bad"><strong>{events}</strong> <span>{failed}</span>{Reason(error, language)}</li>""");
    }

    public Markup UnknownApp(string clientId, string language) => Html.Of(
        $"""<li class="bad" id="unknown-app">{texts.Get(language, "install.unknownApp")} <code>{clientId}</code></li>""");

    /// <summary>Empty where both of the default app's keys are set, or none.</summary>
    public Markup MissingKey(string language) => apps.MissingKey is not { } key ? Html.Of($"") : Html.Of(
        $"""<li class="bad" id="missing-key">{texts.Get(language, "install.missingKey")} <code>{key}</code></li>""");

    public Markup WrongKeys(string app, string language) => Html.Of(
        $"""
        <li class="bad" id="wrong-keys">{texts.Get(language, "install.wrongKeys")}
        <code>{apps.Find(app)?.ClientId}</code> ({app})</li>
        """);

    /// <summary>Until installFinish has been called, nobody on the portal sees any placement.</summary>
    public Markup Finished(string language) => Html.Of(
        $"""
        </ul>
        <p class="outcome good" role="status">{texts.Get(language, "install.done")}</p>
        <noscript><p>{texts.Get(language, "install.noScript")}</p></noscript>
        </main>
        <script src="{pages.ScriptUrl}"></script>
        <script>{new Markup(FinishScript)}</script>
        </body>
        </html>

        """);

    public Markup NotFinished(HttpContext context, string language) => Html.Of(
        $"""
        </ul>
        <p class="outcome bad" role="alert">{texts.Get(language, "install.notDone")}</p>
        <p><button type="button" id="retry">{texts.Get(language, "install.retry")}</button></p>
        </main>
        {pages.Module(context, "retry.js")}
        </body>
        </html>

        """);

    private Markup Reason(RestError? error, string language) => error is null ? default
        : Html.Of($"""<p class="reason">{texts.OfError(language, error.Code)} <code>{error.Code}</code></p>""");
}
