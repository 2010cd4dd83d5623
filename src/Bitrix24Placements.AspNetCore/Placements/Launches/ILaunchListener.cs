using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <summary>Where Installation hears of launches: the verifier changes nothing.</summary>
internal interface ILaunchListener
{
    /// <summary>A person's token was confirmed; what is stored may differ from what he brings.</summary>
    /// <returns>The portal as it is now.</returns>
    Task<Checked<KnownPortal>> SettleAsync(TokenInfo user, PlacementPost post, KnownPortal? known, CancellationToken cancellationToken);

    /// <summary>Waits only where the page is better shown with what the visit has mended.</summary>
    Task VisitedAsync(KnownPortal known, TokenInfo user, PlacementPost post);

    /// <summary>Told by a worker load whose application_token matches.</summary>
    void AddressDiffers(PortalId id);

    /// <summary>Bitrix24 posts events to the app's own page where that was the address of the installation.</summary>
    Task HearEventAsync(HttpContext context, WireForm form);
}
