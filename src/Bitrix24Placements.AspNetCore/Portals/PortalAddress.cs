namespace Bitrix24Placements;

/// <param name="Id">The portal, and the app that it was opened with.</param>
/// <param name="Domain">Host, with its port where that is not the scheme's own.</param>
/// <param name="Protocol"><c>https</c> or <c>http</c>.</param>
public sealed record PortalAddress(PortalId Id, string Domain, string Protocol)
{
    public string MemberId => Id.MemberId;

    public string Origin => Protocol + "://" + Domain;
}
