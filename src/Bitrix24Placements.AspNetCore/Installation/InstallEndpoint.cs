using Bitrix24Placements.Forms;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary><c>POST /install</c>: the wizard in an administrator's browser, or ONAPPINSTALL of an app without an interface.</summary>
/// <remarks>https://apidocs.bitrix24.com/settings/app-installation/installation-finish.html</remarks>
internal sealed class InstallEndpoint(
    Installer installer, EventEndpoint events, InstallPage page, PlacementCatalogue catalogue, ReconcileWork reconcile, WorkStore work, WorkLoop loop, PortalStore portals,
    UnverifiedAttempts attempts, RejectionWriter rejections, DetachedTasks tasks, TimeProvider time)
{
    /// <summary>The background does it if this process dies before the wizard has begun.</summary>
    private static readonly TimeSpan BackgroundTakesOver = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan OthersPatience = TimeSpan.FromSeconds(60);

    public async Task ReceiveAsync(HttpContext context)
    {
        var (form, rejection) = await FormBody.ReadAsync(context);
        if (form is null)
        {
            await rejections.WriteAsync(context, rejection!);
            return;
        }

        using (form)
        {
            if (!form.HasTooManyFields && AppEvent.Name(form) is { } name)
                await (name == EventEndpoint.Install ? events.HandleAsync(context, form, name) : rejections.WriteAsync(context, EventEndpoint.OtherEvent));
            else if (PlacementParser.Parse(form, PlacementPipeline.AppPage) is { Post: { } post })
                await InstallAsync(context, post);
            else
                await rejections.WriteAsync(context, Rejection.Malformed(PlacementParser.Parse(form, PlacementPipeline.AppPage).Errors!), form.Text("LANG"u8) ?? Texts.Fallback);
        }
    }

    private async Task InstallAsync(HttpContext context, PlacementPost post)
    {
        if (!attempts.MayTry(context, AttemptKind.Person, post.MemberId))
        {
            await rejections.WriteAsync(context, Rejection.TooManyAttempts, post.Language);
            return;
        }

        var claim = InstallClaim.From(post);
        var result = await installer.InstallAsync(claim, BackgroundTakesOver, context.RequestAborted);
        var asJson = Accepts.JsonOnly(context.Request);
        switch (result.Verdict)
        {
            case InstallVerdict.Stored:
                await using (var outcome = await page.BeginAsync(context, post, result.Info!.ClientEndpoint, asJson))
                    await ReconcileAsync(result.Info.Id, outcome);
                break;
            case InstallVerdict.NotAdministrator:
                attempts.Failed(context, AttemptKind.Person, post.MemberId);
                await ShowFailureAsync(context, post, result.Info!.ClientEndpoint, new(RestErrorKind.Refused, "ACCESS_DENIED", "Not an administrator."), asJson);
                break;
            case InstallVerdict.NotConfigured when await installer.KeepAsync(claim, context.RequestAborted):
                await ShowFailureAsync(context, post, new Uri(post.Origin + "/rest/"), RestError.NotConfigured, asJson);
                break;
            default:
                if (result.Rejection!.IsFailedAttempt)
                    attempts.Failed(context, AttemptKind.Person, post.MemberId);
                await rejections.WriteAsync(context, result.Rejection, post.Language);
                break;
        }
    }

    /// <summary>Does the waiting work itself, so that its progress can be shown; where another has taken it, shows what that one comes to. Goes on if the browser goes away.</summary>
    private async Task ReconcileAsync(PortalId id, InstallPage.Outcome outcome)
    {
        var done = new TaskCompletionSource<Reconciliation?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = tasks.Run("Reconciling after an installation", async cancellationToken =>
        {
            try
            {
                done.TrySetResult(await ClaimAndRunAsync(id, outcome, cancellationToken));
            }
            finally
            {
                done.TrySetResult(null);
            }
        });
        await outcome.FinishAsync(await done.Task ?? AllFailed(RestError.Unavailable("The installation goes on in the background.")));
    }

    private async Task<Reconciliation?> ClaimAndRunAsync(PortalId id, InstallPage.Outcome outcome, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        Reconciliation? reconciliation = null;
        while (time.GetElapsedTime(started) < OthersPatience)
        {
            if (await work.ClaimAsync(id, WorkKind.Reconcile, cancellationToken) is { } item)
            {
                await loop.RunClaimedAsync(item, token => reconcile.RunAsync(item, outcome.ProgressAsync, r => reconciliation = r, token), cancellationToken);
                return reconciliation;
            }

            if (!await work.ExistsAsync(id, WorkKind.Reconcile, cancellationToken))
                return await ReadOutcomeAsync(id, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellationToken);
        }

        return null;
    }

    private async Task<Reconciliation?> ReadOutcomeAsync(PortalId id, CancellationToken cancellationToken) =>
        await portals.FindAsync(id, cancellationToken) is { Placements: { } stored }
            ? new([.. OutcomeJson.ReadPlacements(stored).Select(static p => new PlacementOutcome(p.Placement, p.Handler, p.Error is null ? null : new(RestErrorKind.Refused, p.Error, p.Error)))], null)
            : null;

    private async Task ShowFailureAsync(HttpContext context, PlacementPost post, Uri endpoint, RestError error, bool asJson)
    {
        await using var outcome = await page.BeginAsync(context, post, endpoint, asJson);
        var failed = AllFailed(error);
        foreach (var placement in failed.Placements)
            await outcome.ProgressAsync(placement);
        await outcome.FinishAsync(failed);
    }

    private Reconciliation AllFailed(RestError error) => new([.. catalogue.Handlers().Select(h => new PlacementOutcome(h.Placement, h.Handler, error))], error);
}
