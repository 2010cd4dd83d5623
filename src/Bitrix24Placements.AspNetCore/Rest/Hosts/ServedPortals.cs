using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

/// <summary>An installation outlives its app and the rules that it was made by.</summary>
internal sealed class ServedPortals(AppRegistry apps, HostRules hosts)
{
    public bool Contains(KnownPortal portal) => apps.Serves(portal.Id) && hosts.IsAllowedPortal(portal.ClientEndpoint.Host);
}
