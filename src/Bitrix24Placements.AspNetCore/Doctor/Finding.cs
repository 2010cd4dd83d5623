namespace Bitrix24Placements.Doctor;

/// <param name="Id">A stable word for scripts; its texts are <c>doctor.{Id}</c> and <c>doctor.{Id}.do</c>.</param>
/// <param name="Seen">As on the wire. Never a secret.</param>
internal sealed record Finding(string Id, string Seen)
{
    /// <summary>No fault: nothing to look at.</summary>
    public bool IsNote { get; private init; }

    public static Finding Note(string id, string seen = "") => new(id, seen) { IsNote = true };
}
