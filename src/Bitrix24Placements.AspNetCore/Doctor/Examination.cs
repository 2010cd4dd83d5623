using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor;

/// <param name="portal">Null: the first one that is installed.</param>
internal sealed class Examination(PortalId? portal)
{
    public PortalId? Asked { get; } = portal;

    /// <summary>Known once the database has answered.</summary>
    public Portal? Portal { get; set; }
}
