using Bitrix24Placements.Events;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <summary><c>POST /install</c>: the wizard, or events of the app.</summary>
/// <remarks>https://apidocs.bitrix24.com/settings/app-installation/installation-finish.html</remarks>
internal sealed class InstallEndpoint(
    Installer installer, InstallationRun run, EventEndpoint events, InstallationsUnderWay underWay, InstallPageParts page,
    PlacementCatalogue catalogue, Guard guard, UnverifiedAttempts attempts, RejectionWriter rejections, TimeProvider time) : IDisposable
{
    private static readonly PlacementExpectation Wizard = new(PlacementCatalogue.Default) { NeedsRefreshToken = true };

    /// <summary>Apart from those of events, which are sent once.</summary>
    private readonly Turns _turns = new(TimeSpan.FromSeconds(5));

    public async Task ReceiveAsync(HttpContext context)
    {
        var body = await FormBody.ReadAsync(context);
        Checked<PlacementPost> parsed;
        string language;
        // The form is given back before anybody is asked.
        using (var form = body.Value)
        {
            if (form is not null && WireEvent.Name(form) is not null)
            {
                await events.HandleOwnAsync(context, form);
                return;
            }

            parsed = body.Ok ? PlacementParser.Parse(body.Value, Wizard) : body.Rejection;
            language = parsed.Value?.Language ?? form?.Text("LANG"u8) ?? Texts.Fallback;
        }

        if (!parsed.Ok)
        {
            await rejections.WriteAsync(context, parsed.Rejection, language);
            return;
        }

        var post = parsed.Value;
        TokenInfo? installed = null;
        await guard.RunAsync(context, RequestKind.Installation, post.MemberId,
            () => underWay.RunAsync(
                post.MemberId, post.ApplicationToken, () => InstallAsync(context, post, info => installed = info)), language);
        if (installed is not null)
            await guard.RunAsync(context, RequestKind.InstallationRun, post.MemberId,
                () => ShowRunAsync(context, post, installed), language, isKnown: true);
    }

    private async Task<Rejection?> InstallAsync(HttpContext context, PlacementPost post, Action<TokenInfo> stored)
    {
        var claim = InstallClaim.From(post, ClientAddress.Of(context), time.GetUtcNow());
        var result = await installer.InstallAsync(claim, InstallationRun.BackgroundTakesOver, context.RequestAborted);
        switch (result.Verdict)
        {
            case InstallVerdict.Stored when result.Info is { } info:
                stored(info);
                return null;
            case InstallVerdict.NotAdministrator when result.Info is { } info:
                attempts.Failed(context, RequestKind.Installation, post.MemberId);
                await ShowFailureAsync(
                    context, post, info.ClientEndpoint, new(RestErrorKind.Refused, RestErrors.AccessDenied, "Not an administrator."));
                return null;
            case InstallVerdict.NotConfigured or InstallVerdict.UnknownApp
                when await installer.KeepAsync(claim, _turns):
                // Anybody has a token of some app of his own.
                if (result.Verdict == InstallVerdict.UnknownApp)
                    attempts.Failed(context, RequestKind.Installation, post.MemberId);
                await ShowFailureAsync(context, post, new Uri(post.Origin + "/rest/"), RestError.NotConfigured, result.ClientId);
                return null;
            default:
                return result.Rejection;
        }
    }

    private async Task<Rejection?> ShowRunAsync(HttpContext context, PlacementPost post, TokenInfo installed)
    {
        await using var answer = new InstallPage(page, context, post, installed.ClientEndpoint);
        await answer.BeginAsync();
        var outcome = await run.RunAsync(installed.Id, answer.ProgressAsync, context.RequestAborted);
        await answer.FinishAsync(outcome ?? AllFailed(InstallationRun.GoesOn), installed.Id.App);
        return null;
    }

    private async Task ShowFailureAsync(
        HttpContext context, PlacementPost post, Uri endpoint, RestError error, string? unknownClientId = null)
    {
        await using var answer = new InstallPage(page, context, post, endpoint);
        await answer.BeginAsync();
        var failed = AllFailed(error);
        foreach (var placement in failed.Placements)
            await answer.ProgressAsync(placement);
        await answer.FinishAsync(failed, unknownClientId: unknownClientId);
    }

    public void Dispose() => _turns.Dispose();

    private Reconciliation AllFailed(RestError error) =>
        new([.. catalogue.Handlers().Select(h => PlacementOutcome.Of(h, error))], error);
}
