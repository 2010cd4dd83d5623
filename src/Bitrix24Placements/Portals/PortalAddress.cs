namespace Bitrix24Placements.Portals;

/// <param name="MemberId">The portal's stable id.</param>
/// <param name="Domain">Host, with its port where that is not the scheme's own.</param>
/// <param name="Protocol"><c>https</c> or <c>http</c>.</param>
public sealed record PortalAddress(string MemberId, string Domain, string Protocol)
{
    public string Origin => Protocol + "://" + Domain;
}
