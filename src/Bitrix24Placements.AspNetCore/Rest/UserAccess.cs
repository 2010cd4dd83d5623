using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

/// <summary>Everything in it was told by the OAuth server for this token.</summary>
internal sealed record UserAccess(PortalId Portal, Uri Endpoint, Uri OAuthServer, long UserId, Secret AccessToken)
{
    public UserAccess(TokenInfo confirmed, Secret token)
        : this(confirmed.Id, confirmed.ClientEndpoint, confirmed.Server, confirmed.UserId, token)
    {
    }

    public UserAccess(Portal portal)
        : this(portal.Id, portal.ClientEndpoint, portal.OAuthServer, portal.UserId, portal.Tokens?.Access ?? default)
    {
    }
}
