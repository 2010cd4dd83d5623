using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <summary>Where Installation hears of launches. The verifier decides and changes nothing; whoever keeps the portals does, behind this
/// seam.</summary>
internal interface ILaunchListener
{
    /// <summary>A person's token was confirmed; what is stored of the portal may differ from what he brings: its state, address or
    /// application_token.</summary>
    /// <param name="known">Null where the store knows no such installation; it may be suspended or uninstalled too.</param>
    /// <returns>The portal as it is now, or why the launch is refused.</returns>
    Task<Checked<KnownPortal>> SettleAsync(TokenInfo user, PlacementPost post, KnownPortal? known, CancellationToken cancellationToken);

    /// <summary>A person's launch is believed. Waits only where the page is better shown with what the visit has mended.</summary>
    ValueTask VisitedAsync(KnownPortal known, TokenInfo user, PlacementPost post);

    /// <summary>A worker load whose application_token matches named another address than the stored one.</summary>
    void AddressDiffers(PortalId id);

    /// <summary>An event was posted to the app's own page: Bitrix24 does so where that was the address of the installation. Answers
    /// it.</summary>
    Task HearEventAsync(HttpContext context, WireForm form);
}
