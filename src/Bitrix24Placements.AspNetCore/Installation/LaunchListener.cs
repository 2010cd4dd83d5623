using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <summary>What launches change of a portal: its address, its application_token, its state.</summary>
internal sealed class LaunchListener(PortalStore portals, AdministratorVisits administrators, AddressChecks addresses, EventEndpoint events) : ILaunchListener
{
    public async Task<Checked<KnownPortal>> SettleAsync(
        TokenInfo user, PlacementPost post, KnownPortal? known, CancellationToken cancellationToken)
    {
        if (known is not { State: not PortalState.Uninstalled })
            return Rejection.NotInstalled;
        if (user.ClientEndpoint != known.ClientEndpoint)
            await portals.MoveAsync(user.Id, user.ClientEndpoint, cancellationToken);
        if (await AdministratorChangesAsync(user, post, known, cancellationToken) is { } refused)
            return refused;
        // Read again: what has just been changed is in it.
        return await portals.KnownAsync(user.Id, cancellationToken) is { State: PortalState.Installed } now ? now : Rejection.NotInstalled;
    }

    public ValueTask VisitedAsync(KnownPortal known, TokenInfo user, PlacementPost post) =>
        administrators.IsWanted(known) ? new(administrators.VisitAsync(known, user, post)) : default;

    public void AddressDiffers(PortalId id) => addresses.Suggest(id);

    public Task HearEventAsync(HttpContext context, WireForm form) => events.HandleAsync(context, form, AppEvent.Name(form) ?? "");

    /// <summary>Only an administrator's page brings a new application_token, and only his restores a suspended portal.</summary>
    private async Task<Rejection?> AdministratorChangesAsync(TokenInfo user, PlacementPost post, KnownPortal known, CancellationToken cancellationToken)
    {
        var newToken = !post.ApplicationToken.IsEmpty && !known.AcceptsApplicationToken(post.ApplicationToken);
        if (!newToken && known.State != PortalState.Suspended)
            return null;
        var isAdministrator = await administrators.IsAdministratorAsync(user, post.AccessToken, cancellationToken);
        if (!isAdministrator.Ok && (isAdministrator.Error.Kind != RestErrorKind.Refused || RestErrors.IsPassing(isAdministrator.Error.Code)))
            return Rejection.Unavailable;
        if (!isAdministrator.Value)
            return newToken ? Rejection.NotVerified : Rejection.NotInstalled;
        if (newToken)
            await portals.AdoptApplicationTokenAsync(user.Id, post.ApplicationToken, cancellationToken);
        if (known.State == PortalState.Suspended)
            await administrators.RestoreAsync(user, post, cancellationToken);
        return null;
    }
}
