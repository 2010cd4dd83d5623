using Bitrix24Placements.Apps;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Events;

/// <summary>Believes an event or not, and keeps what has a handler.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/events/safe-event-handlers.html</remarks>
internal sealed class EventReceiver(
    IAppEvents app, PortalStore portals, PortalDirectory directory, EventHandlers handlers, InboxStore inbox,
    EventMetrics metrics, AppRegistry apps, HostRules hosts, TimeProvider time)
{
    /// <param name="context">Null from the spool.</param>
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

    /// <summary>From memory: an event is sent once, and a known portal's is not lost to somebody who guesses beside it.</summary>
    public bool IsKnown(WireForm form) => Matching(form, directory.FindAll(form.MemberId() ?? "")) is not null;

    public async Task<bool> IsKnownToStoreAsync(WireForm form) =>
        Matching(form, await portals.ReadAllAsync(form.MemberId() ?? "", CancellationToken.None)) is not null;

    private async Task<Rejection?> HearAsync(string name, WireForm form, CancellationToken cancellationToken)
    {
        var memberId = form.MemberId() ?? "";
        if (Matching(form, directory.FindAll(memberId)) is not { } portal)
        {
            var installations = await portals.ReadAllAsync(memberId, cancellationToken);
            if (Matching(form, installations) is not { } known)
                return installations.Any(i => i.State != PortalState.Uninstalled)
                    ? Rejection.NotVerified.Because("auth[application_token] differs from the stored one") : Rejection.NotInstalled;
            portal = known;
        }

        if (name == AppEvent.Uninstall)
            return await app.UninstallAsync(portal, form.Text("data[CLEAN]"u8) == "1", cancellationToken) ? null : Rejection.NotInstalled;
        if (!hosts.IsAllowedPortal(portal.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        if (handlers.Find(name) is not null && !await inbox.AddAsync(portal.Id, EventOf(portal, name, form), cancellationToken))
            return Rejection.Overloaded;
        return null;
    }

    // The application_token says which app is meant.
    private KnownPortal? Matching(WireForm form, IReadOnlyList<KnownPortal> installations) =>
        form.ApplicationToken() is { IsEmpty: false } token ? installations.FirstOrDefault(
            i => i.State != PortalState.Uninstalled && apps.Serves(i.Id) && i.AcceptsApplicationToken(token)) : null;

    private StoredEvent EventOf(KnownPortal portal, string name, WireForm form) => new(
        WireEvent.Id(form), name, portal.Address.Domain, portal.Address.Protocol, WireEvent.UserId(form),
        WireEvent.Timestamp(form) ?? time.GetUtcNow().ToUnixTimeSeconds(), WireEvent.Data(form));
}
