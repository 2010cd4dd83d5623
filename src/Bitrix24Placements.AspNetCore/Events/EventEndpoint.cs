using System.Data.Common;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Events;

/// <summary><c>POST /events</c>: what Bitrix24's server tells, or somebody who pretends to be it. What comes while the database is away
/// is spooled: events are sent once.</summary>
internal sealed class EventEndpoint(EventReceiver receiver, EventHandlers handlers, EventSpool spool, Guard guard,
    RejectionWriter rejections)
{
    private static readonly Rejection OtherEvent = Rejection.Malformed(
        new Dictionary<string, string> { ["event"] = "ONAPPINSTALL or ONAPPUSERREADY is expected here; other events go to /events." });

    public async Task ReceiveAsync(HttpContext context)
    {
        var (form, rejection) = await FormBody.ReadAsync(context);
        if (form is null)
        {
            await rejections.WriteAsync(context, rejection ?? Rejection.NotAForm);
            return;
        }

        using (form)
        {
            if (form.HasTooManyFields)
                await rejections.WriteAsync(context, Rejection.Malformed($"There are more than {WireForm.MaxFields} fields."));
            else if (WireEvent.Name(form) is { } name)
                await HandleAsync(context, name, form);
            else
                await rejections.WriteAsync(context,
                    Rejection.Malformed(new Dictionary<string, string> { ["event"] = "The name of an event is expected." }));
        }
    }

    /// <summary>At the address of the installation or of the app's own page Bitrix24 tells of the app alone.</summary>
    public Task HandleOwnAsync(HttpContext context, WireForm form) =>
        WireEvent.Name(form) is AppEvent.Install or AppEvent.UserReady or AppEvent.Test && WireEvent.Name(form) is { } name
            ? HandleAsync(context, name, form)
            : rejections.WriteAsync(context, OtherEvent);

    public Task HandleAsync(HttpContext context, string name, WireForm form) =>
        // Of those that bring tokens, what comes while an address has failed too often is kept and not asked about.
        guard.RunAsync(
            context, AttemptKind.Event, WireEvent.MemberId(form) ?? "", () => ReceiveAsync(context, name, form),
            isKnown: AppEvent.BringsTokens(name) || receiver.IsKnown(form));

    private async Task<Rejection?> ReceiveAsync(HttpContext context, string name, WireForm form)
    {
        try
        {
            return await receiver.ReceiveAsync(context, name, form, context.RequestAborted);
        }
        catch (Exception e) when (e is DbException or TimeoutException && IsKept(name) && WireEvent.MemberId(form) is not null)
        {
            return await spool.PutAsync(context, form) ? null : Rejection.StoreUnavailable;
        }
    }

    private bool IsKept(string name) => AppEvent.BringsTokens(name) || name == AppEvent.Uninstall || handlers.Find(name) is not null;
}
