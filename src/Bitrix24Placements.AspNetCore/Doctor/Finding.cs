namespace Bitrix24Placements.Doctor;

/// <param name="Id">A stable word for scripts; its texts are <c>doctor.{Id}</c> and <c>doctor.{Id}.do</c>.</param>
/// <param name="Seen">In the words of the wire. Never a secret.</param>
internal sealed record Finding(string Id, string Seen)
{
    /// <summary>No fault: there was nothing to look at.</summary>
    public bool IsNote { get; init; }

    public static IReadOnlyList<Finding> None { get; } = [];

    public static IReadOnlyList<Finding> One(string id, string seen) => [new(id, seen)];

    public static IReadOnlyList<Finding> Note(string id, string seen = "") => [new(id, seen) { IsNote = true }];
}

internal enum CheckState
{
    Good,
    Wrong,

    /// <summary>What it needs is wrong already, or there is nothing to look at.</summary>
    NotLooked,
}

internal sealed record CheckResult(Check Check, CheckState State, IReadOnlyList<Finding> Findings);
