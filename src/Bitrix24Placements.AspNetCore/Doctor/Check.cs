using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor;

/// <param name="Id">A stable word for scripts; its title is the text <c>doctor.check.{Id}</c>.</param>
/// <param name="RunAsync">Finds nothing: all is well.</param>
/// <param name="Needs">Where these have failed, this one would only repeat them.</param>
internal sealed record Check(string Id, Func<Examination, CancellationToken, Task<Finding[]>> RunAsync, params string[] Needs)
{
    /// <summary>Its findings may name the operator's hosts and other people's apps: only he sees them.</summary>
    public bool IsOperators { get; init; }
}

/// <param name="portal">Null: the first installed one.</param>
internal sealed class Examination(PortalId? portal)
{
    public PortalId? Asked { get; } = portal;

    /// <summary>Known when the database has answered.</summary>
    public Portal? Portal { get; set; }
}
