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
    EventMetrics metrics, AppRegistry apps, HostRules hosts, SpooledEvents spooled, TimeProvider time)
{
    /// <returns>Null: Bitrix24 gets its 200.</returns>
    public async Task<Rejection?> ReceiveAsync(EventSource source, string name, WireForm form, CancellationToken cancellationToken)
    {
        var rejection = AppEvent.BringsTokens(name)
            ? await app.TokensAsync(source, name, form, cancellationToken)
            : await HearAsync(source, name, form, cancellationToken);
        metrics.Received(rejection?.Code ?? "ok");
        return rejection;
    }

    /// <summary>From memory: an event is sent once, and a known portal's is not lost to somebody who guesses beside it.</summary>
    public PortalId? Known(WireForm form) => Matching(form, directory.FindAll(form.MemberId() ?? ""))?.Id;

    public async Task<bool> IsKnownToStoreAsync(WireForm form) =>
        Matching(form, await portals.ReadAllAsync(form.MemberId() ?? "", CancellationToken.None)) is not null;

    private async Task<Rejection?> HearAsync(EventSource source, string name, WireForm form, CancellationToken cancellationToken)
    {
        var memberId = form.MemberId() ?? "";
        var found = await FindAsync(memberId, form, source.Believed, cancellationToken);
        if (!found.Ok)
            return found.Rejection;
        var portal = found.Value;
        if (name == AppEvent.Uninstall)
        {
            var isClean = WireEvent.IsClean(form);
            var othersFollow = source.Context is null || spooled.HasCarefulNotice(
                portal.Id, ApplicationToken.Hash(form.ApplicationToken().Reveal()));
            // Another instance may have installed it anew a moment ago.
            return await app.UninstallAsync(portal, isClean, othersFollow, cancellationToken)
                || (Matching(form, await portals.ReadAllAsync(memberId, cancellationToken)) is { } newer
                    && await app.UninstallAsync(newer, isClean, othersFollow, cancellationToken)) ? null : Rejection.NotInstalled;
        }

        if (!hosts.IsAllowedPortal(portal.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        var receivedAt = source.Context is null ? source.ToldAt : (DateTimeOffset?)null;
        if (handlers.Find(name) is not null && !await inbox.AddAsync(portal.Id, EventOf(portal, name, form), receivedAt, cancellationToken))
            return Rejection.Overloaded;
        return null;
    }

    private async Task<Checked<KnownPortal>> FindAsync(
        string memberId, WireForm form, PortalId? believed, CancellationToken cancellationToken)
    {
        if (believed is null && Matching(form, directory.FindAll(memberId)) is { } known)
            return known;
        var installations = await portals.ReadAllAsync(memberId, cancellationToken);
        // An update may have brought another application token since, or another instance carried out an uninstallation.
        if ((installations.FirstOrDefault(i => i.Id == believed && apps.Serves(i.Id)) ?? Matching(form, installations)) is { } portal)
            return portal;
        return installations.Any(i => i.State != PortalState.Uninstalled)
            ? Rejection.NotVerified.Because("auth[application_token] differs from the stored one") : Rejection.NotInstalled;
    }

    // The application_token says which app is meant.
    private KnownPortal? Matching(WireForm form, IReadOnlyList<KnownPortal> installations) =>
        form.ApplicationToken() is { IsEmpty: false } token ? installations.FirstOrDefault(
            i => IsServed(i) && i.AcceptsApplicationToken(token)) : null;

    private bool IsServed(KnownPortal installation) => installation.State != PortalState.Uninstalled && apps.Serves(installation.Id);

    private StoredEvent EventOf(KnownPortal portal, string name, WireForm form) => new(
        WireEvent.Id(form), name, portal.Address.Domain, portal.Address.Protocol, WireEvent.UserId(form),
        WireEvent.Timestamp(form) ?? time.GetUtcNow().ToUnixTimeSeconds(), WireEvent.Data(form));
}
