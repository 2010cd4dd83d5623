using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.Tests.Harness;

internal static class PortalIds
{
    extension(SimPortal portal)
    {
        /// <summary>How the service calls this portal's installation of its default app.</summary>
        public PortalId Id => new(portal.MemberId);
    }
}
