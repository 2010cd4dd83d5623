using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor;

/// <param name="portal">Null: the first one that is installed.</param>
internal sealed class Examination(PortalId? portal)
{
    private readonly HashSet<string> _good = new(StringComparer.Ordinal);

    public PortalId? Asked { get; } = portal;

    /// <summary>Known once the database has answered.</summary>
    public Portal? Portal { get; set; }

    public bool Has(Check check) => check.Needs.All(_good.Contains);

    public void Note(CheckResult result)
    {
        if (result.State == CheckState.Good)
            _good.Add(result.Check.Id);
    }
}
