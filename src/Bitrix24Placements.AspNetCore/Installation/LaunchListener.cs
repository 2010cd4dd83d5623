using Bitrix24Placements.Events;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>What launches change of a portal: its address, its application_token, its state.</summary>
internal sealed class LaunchListener(
    PortalStore portals, Administrators administrators, Installer installer, AdministratorVisits visits, EventEndpoint events,
    WorkStore work, DetachedTasks tasks, TimeProvider time) : ILaunchListener
{
    private static readonly TimeSpan AddressChecksApart = TimeSpan.FromMinutes(10);

    private const int MaxAddressChecks = 10_000;

    private readonly ConcurrentDictionary<PortalId, DateTimeOffset> _addressChecks = new();

    public async Task<Checked<KnownPortal>> SettleAsync(
        TokenInfo user, PlacementPost post, KnownPortal? known, CancellationToken cancellationToken)
    {
        var installed = known is { State: PortalState.Installed } ? known : null;
        var isNewToken = !post.ApplicationToken.IsEmpty && installed?.AcceptsApplicationToken(post.ApplicationToken) == false;
        if (installed is null || isNewToken)
        {
            var isAdministrator = await administrators.AskUnlessOrdinaryAsync(
                new(user, post.AccessToken), cancellationToken, mayWait: !visits.TakePromptTurn(user.Id));
            if (isAdministrator is { Error.Kind: not RestErrorKind.Refused })
                return Rejection.Unavailable;
            if (!isAdministrator.Value)
                return installed is null ? Rejection.NotInstalled
                    : Rejection.NotVerified.Because("APPLICATION_TOKEN differs, and this is no administrator");
        }

        if (installed is null)
        {
            // Fresh tokens prove that the app is there, whatever was told before.
            if (post.RefreshToken.IsEmpty)
                return Rejection.NotInstalled;
            await installer.StoreAsync(InstallClaim.From(post, "", time.GetUtcNow()), user, TimeSpan.Zero, cancellationToken);
        }
        else
        {
            if (isNewToken)
                await portals.AdoptApplicationTokenAsync(user.Id, post.ApplicationToken, cancellationToken);
            if (user.ClientEndpoint != installed.ClientEndpoint)
                await portals.MoveAsync(user.Id, user.ClientEndpoint, cancellationToken);
        }

        return await portals.KnownAsync(user.Id, cancellationToken) is { State: PortalState.Installed } now ? now : Rejection.NotInstalled;
    }

    public Task VisitedAsync(KnownPortal known, TokenInfo user, PlacementPost post) => visits.VisitAsync(known, user, post);

    public Task HearEventAsync(HttpContext context, WireForm form) => events.HandleOwnAsync(context, form);

    /// <summary>Not believed: it only has the OAuth server asked, once in a while.</summary>
    public void AddressDiffers(PortalId id)
    {
        var now = time.GetUtcNow();
        if (_addressChecks.TryGetValue(id, out var last) && now - last < AddressChecksApart)
            return;
        if (_addressChecks.Count >= MaxAddressChecks)
            _addressChecks.Clear();
        _addressChecks[id] = now;
        tasks.Run("Asking for an address check", token => work.RequestIfNoneAsync(id, WorkKind.Address, TimeSpan.Zero, token));
    }
}
