using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary><c>POST /events</c>: what Bitrix24's server tells, or somebody who pretends to be it.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/events/safe-event-handlers.html</remarks>
internal sealed class EventEndpoint(
    Installer installer, PortalStore portals, PortalDirectory directory, WorkStore work, WorkSignal signal, Guard guard, RejectionWriter rejections, TimeProvider time)
{
    public const string Install = "ONAPPINSTALL";
    public const string Update = "ONAPPUPDATE";
    public const string Uninstall = "ONAPPUNINSTALL";

    public static readonly Rejection OtherEvent = Rejection.Malformed(new Dictionary<string, string> { ["event"] = "ONAPPINSTALL is expected here; other events go to /events." });

    /// <summary>So long the answer waits for the first check, which mostly knows at once.</summary>
    private static readonly TimeSpan FirstCheck = TimeSpan.FromSeconds(2);

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
            if (form.HasTooManyFields)
                await rejections.WriteAsync(context, Rejection.Malformed($"There are more than {WireForm.MaxFields} fields."));
            else if (AppEvent.Name(form) is { } name)
                await HandleAsync(context, form, name);
            else
                await rejections.WriteAsync(context, Rejection.Malformed(new Dictionary<string, string> { ["event"] = "The name of an event is expected." }));
        }
    }

    public async Task HandleAsync(HttpContext context, WireForm form, string name)
    {
        var subject = AppEvent.MemberId(form) ?? "";
        var installs = name is Install or Update;
        // Events are sent once: those of a portal that is known here are not lost to somebody who guesses beside it.
        await guard.RunAsync(
            context, AttemptKind.Event, subject,
            () => installs ? InstallAsync(form, context.RequestAborted) : HearAsync(form, name, subject, context.RequestAborted),
            isKnown: !installs && IsKnown(form, subject));
    }

    /// <summary>From memory, as the worker's load is verified.</summary>
    private bool IsKnown(WireForm form, string memberId) =>
        memberId.Length > 0 && directory.Find(new(memberId)) is { State: not PortalState.Uninstalled } known && form.TryGet("auth[application_token]"u8, out var token) && known.AcceptsApplicationToken(token);

    /// <summary>An installation or an update. Events are sent once: what cannot be confirmed now is kept.</summary>
    private async Task<Rejection?> InstallAsync(WireForm form, CancellationToken cancellationToken)
    {
        var (claim, malformed) = InstallClaim.Read(form);
        if (claim is null)
            return malformed;
        var result = await installer.InstallAsync(claim, TimeSpan.Zero, cancellationToken);
        return result.Verdict switch
        {
            InstallVerdict.Stored => null,
            InstallVerdict.NotAdministrator => new(403, "notVerified", "The event's token is not an administrator's.") { IsFailedAttempt = true },
            InstallVerdict.NotConfigured or InstallVerdict.NoAnswer => await installer.KeepAsync(claim, CancellationToken.None) ? null : Rejection.Overloaded,
            _ => result.Rejection,
        };
    }

    /// <summary>Any other event is the portal's if it knows the application_token; of an uninstallation the OAuth server is asked as well.</summary>
    private async Task<Rejection?> HearAsync(WireForm form, string name, string memberId, CancellationToken cancellationToken)
    {
        if (memberId.Length == 0 || await portals.FindAsync(new(memberId), cancellationToken) is not { State: not PortalState.Uninstalled } portal)
            return Rejection.NotInstalled;
        if (!ApplicationToken.Matches(portal.ApplicationTokenHash, form.Text("auth[application_token]"u8)))
            return Rejection.NotVerified;
        if (name != Uninstall)
            return null;

        var notice = new UninstallNotice(form.Text("data[CLEAN]"u8) == "1", portal.Epoch, 0, portal.TokenState != TokenState.Dead);
        await work.RequestAsync(portal.Id, WorkKind.Uninstall, time.GetUtcNow(), UninstallWork.ChecksApart, notice.ToString(), resetAttempts: true, CancellationToken.None);
        signal.Wake();
        await WaitForFirstCheckAsync(portal.Id, cancellationToken);
        return null;
    }

    private async Task WaitForFirstCheckAsync(PortalId id, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < FirstCheck && await work.IsDueOrRunningAsync(id, WorkKind.Uninstall, cancellationToken))
            await Task.Delay(TimeSpan.FromMilliseconds(25), time, cancellationToken);
    }
}
