using Bitrix24Placements.Apps;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Events;

/// <summary>Decides whether an event is believed, and keeps what has a handler.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/events/safe-event-handlers.html</remarks>
internal sealed class EventReceiver(IAppEvents app, PortalStore portals, PortalDirectory directory, EventHandlers handlers, InboxStore inbox,
    EventMetrics metrics, AppRegistry apps, HostRules hosts, TimeProvider time)
{
    /// <param name="context">Null where it has waited in the spool.</param>
    /// <returns>Null: Bitrix24 gets its 200.</returns>
    public async Task<Rejection?> ReceiveAsync(
        HttpContext? context, string name, WireForm form, DateTimeOffset toldAt, CancellationToken cancellationToken)
    {
        var rejection = AppEvent.BringsTokens(name)
            ? await app.TokensAsync(context, name, form, toldAt, cancellationToken)
            : await HearAsync(name, form, cancellationToken);
        metrics.Received(rejection?.Code ?? "ok");
        return rejection;
    }

    /// <summary>From memory: Bitrix24 sends an event once, so those of a known portal are not lost to somebody who guesses beside
    /// it.</summary>
    public bool IsKnown(WireForm form) =>
        WireEvent.MemberId(form) is { } memberId && Matching(directory.FindAll(memberId), WireEvent.ApplicationToken(form)) is not null;

    public async Task<bool> IsKnownToStoreAsync(WireForm form) => WireEvent.MemberId(form) is { } memberId
        && Matching(await portals.ReadAllAsync(memberId, CancellationToken.None), WireEvent.ApplicationToken(form)) is not null;

    private async Task<Rejection?> HearAsync(string name, WireForm form, CancellationToken cancellationToken)
    {
        if (WireEvent.MemberId(form) is not { } memberId)
            return Rejection.NotInstalled;
        var token = WireEvent.ApplicationToken(form);
        if (Matching(directory.FindAll(memberId), token) is not { } portal)
        {
            var installations = await portals.ReadAllAsync(memberId, cancellationToken);
            if (Matching(installations, token) is not { } known)
                return installations.Any(i => i.State != PortalState.Uninstalled)
                    ? Rejection.NotVerified.Because("auth[application_token] differs from the stored one") : Rejection.NotInstalled;
            portal = known;
        }

        if (name == AppEvent.Uninstall)
            await app.UninstallAsync(portal, form.Text("data[CLEAN]"u8) == "1", cancellationToken);
        else if (!hosts.IsAllowedPortal(portal.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        else if (handlers.Find(name) is not null && !await inbox.AddAsync(portal.Id, EventOf(portal, name, form), cancellationToken))
            return Rejection.Overloaded;
        return null;
    }

    /// <summary>The application_token says which app is meant.</summary>
    private KnownPortal? Matching(IReadOnlyList<KnownPortal> installations, Secret token) => token.IsEmpty ? null
        : installations.FirstOrDefault(i => i.State != PortalState.Uninstalled && apps.Serves(i.Id) && i.AcceptsApplicationToken(token));

    private StoredEvent EventOf(KnownPortal portal, string name, WireForm form) => new(
        WireEvent.Id(form), name, portal.Address.Domain, portal.Address.Protocol, WireEvent.UserId(form),
        WireEvent.Timestamp(form) ?? time.GetUtcNow().ToUnixTimeSeconds(), WireEvent.Data(form));
}
