using Bitrix24Placements.Events;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <summary>What launches change of a portal: its address, its application_token, its state.</summary>
internal sealed class LaunchListener(PortalStore portals, Administrators administrators, Installer installer, AdministratorVisits visits,
    AddressChecks addresses,
    EventEndpoint events) : ILaunchListener
{
    public async Task<Checked<KnownPortal>> SettleAsync(TokenInfo user, PlacementPost post, KnownPortal? known,
        CancellationToken cancellationToken)
    {
        var isThere = known is { State: PortalState.Installed };
        var isNewToken = known is not null && isThere && !post.ApplicationToken.IsEmpty
            && !known.AcceptsApplicationToken(post.ApplicationToken);
        if (!isThere || isNewToken)
        {
            var isAdministrator = await administrators.AskUnlessOrdinaryAsync(user, post.AccessToken, cancellationToken);
            if (!isAdministrator.Ok
                && (isAdministrator.Error.Kind != RestErrorKind.Refused || RestErrors.IsPassing(isAdministrator.Error.Code)))
                return Rejection.Unavailable;
            if (!isAdministrator.Value)
                return isThere ? Rejection.NotVerified.Because("APPLICATION_TOKEN differs, and this is no administrator")
                    : Rejection.NotInstalled;
        }

        if (!isThere)
        {
            // His fresh tokens prove that the app is there, whatever was told before.
            if (post.RefreshToken.IsEmpty)
                return Rejection.NotInstalled;
            await installer.StoreAsync(InstallClaim.From(post), user, TimeSpan.Zero, cancellationToken);
        }
        else
        {
            if (isNewToken)
                await portals.AdoptApplicationTokenAsync(user.Id, post.ApplicationToken, cancellationToken);
            if (user.ClientEndpoint != known?.ClientEndpoint)
                await portals.MoveAsync(user.Id, user.ClientEndpoint, cancellationToken);
        }

        // Read again: what has just been changed is in it.
        return await portals.KnownAsync(user.Id, cancellationToken) is { State: PortalState.Installed } now ? now : Rejection.NotInstalled;
    }

    public ValueTask VisitedAsync(KnownPortal known, TokenInfo user, PlacementPost post) =>
        visits.IsWanted(known, user) ? new(visits.VisitAsync(known, user, post)) : default;

    public Task HearEventAsync(HttpContext context, WireForm form) => events.HandleOwnAsync(context, form);

    public void AddressDiffers(PortalId id) => addresses.Suggest(id);
}
