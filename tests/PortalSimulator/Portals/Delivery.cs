namespace Bitrix24Placements.PortalSimulator;

/// <summary>What came of one POST from the portal's server. Portals do not repeat them.</summary>
/// <param name="Status">Null when nobody answered.</param>
public sealed record Delivery(string Url, int? Status, string Body)
{
    public bool Accepted => Status is >= 200 and < 300;
}
