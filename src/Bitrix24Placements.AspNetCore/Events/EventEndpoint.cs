using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Events;

/// <summary><c>POST /events</c>. Events are sent once: while the database is away they are spooled, and verified later.</summary>
internal sealed class EventEndpoint(
    EventReceiver receiver, EventHandlers handlers, InstallationsUnderWay underWay, SpooledEvents spooled,
    SpooledEventHandler spoolHandler, Guard guard, UnverifiedAttempts attempts, RejectionWriter rejections, TimeProvider time) : IDisposable
{
    private static readonly Rejection NoEvent = Rejection.Malformed("event", "The name of an event is expected.");

    private static readonly Rejection OtherEvent =
        Rejection.Malformed("event", "ONAPPINSTALL or ONAPPUSERREADY is expected here; other events go to /events.");

    private readonly Turns _turns = new(TimeSpan.FromSeconds(5));

    public async Task ReceiveAsync(HttpContext context)
    {
        var body = await FormBody.ReadAsync(context);
        using var form = body.Value;
        if (form is not null && WireEvent.Name(form) is { } name)
            await HandleAsync(context, name, form);
        else
            await rejections.WriteAsync(context, body.Rejection ?? NoEvent);
    }

    /// <summary>Where Bitrix24 tells of the app alone.</summary>
    public Task HandleOwnAsync(HttpContext context, WireForm form) =>
        WireEvent.Name(form) is (AppEvent.Install or AppEvent.UserReady or AppEvent.Test) and var name
            ? HandleAsync(context, name, form)
            : rejections.WriteAsync(context, OtherEvent);

    private Task HandleAsync(HttpContext context, string name, WireForm form)
    {
        var known = AppEvent.BringsTokens(name) ? null : receiver.Known(form);
        return guard.RunAsync(
            context, RequestKind.Event, known?.ToString() ?? form.MemberId() ?? "", () => ReceiveAsync(context, name, form), isKnown: true,
            placesOf: known is null ? RequestKind.UnconfirmedEvent
                : name == AppEvent.Uninstall ? RequestKind.Uninstallation : RequestKind.Event);
    }

    private async Task<Rejection?> ReceiveAsync(HttpContext context, string name, WireForm form)
    {
        var source = new EventSource(ClientAddress.Of(context), time.GetUtcNow()) { Context = context };
        try
        {
            var isInstallation = name is AppEvent.Install or AppEvent.Update;
            if (!isInstallation && IsKept(name) && receiver.Known(form) is null)
                await underWay.WaitAsync(form.MemberId() ?? "", form.ApplicationToken());
            // Of whoever has failed too often one at a time is looked up; what follows, others do not wait for.
            if (!AppEvent.BringsTokens(name) && receiver.Known(form) is null
                && !attempts.MayTry(context, RequestKind.Event, form.MemberId() ?? "")
                && !await _turns.RunAsync(() => receiver.IsKnownToStoreAsync(form), otherwise: false))
                return Rejection.TooManyAttempts;
            // Though the sender may go away meanwhile: he will not send it again.
            Task<Rejection?> HearAsync() => receiver.ReceiveAsync(source, name, form, CancellationToken.None);
            var rejection = isInstallation
                ? await underWay.RunAsync(form.MemberId() ?? "", form.ApplicationToken(), HearAsync) : await HearAsync();
            // Its application_token is an installation's, or one's that is kept: asked about again when somebody answers.
            return name == AppEvent.UserReady && rejection is { Status: StatusCodes.Status503ServiceUnavailable }
                && await spooled.PutAsync(source, name, form, receiver.Known(form) is null ? source.Address : SpoolFile.Unanswered)
                ? null : rejection;
        }
        catch (Exception e) when (e is DbException or TimeoutException && IsKept(name) && form.MemberId() is not null)
        {
            spoolHandler.DatabaseIsAway();
            var known = receiver.Known(form);
            return await spooled.PutAsync(source with { Believed = known }, name, form, known is null ? source.Address : SpoolFile.Known)
                ? null : Rejection.StoreUnavailable;
        }
    }

    private bool IsKept(string name) => AppEvent.IsOwn(name) || handlers.Find(name) is not null;

    public void Dispose() => _turns.Dispose();
}
