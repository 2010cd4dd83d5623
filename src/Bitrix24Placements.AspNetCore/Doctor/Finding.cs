namespace Bitrix24Placements.Doctor;

/// <summary>Something that is wrong.</summary>
/// <param name="Id">A stable word for scripts. What is wrong is the text <c>doctor.{Id}</c>, what to do <c>doctor.{Id}.do</c>.</param>
/// <param name="Seen">How it was seen, in the words of the wire: addresses, statuses, codes. Never a secret.</param>
internal sealed record Finding(string Id, string Seen)
{
    /// <summary>Worth telling, and no fault: there was nothing to look at.</summary>
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

/// <summary>What a check has come to.</summary>
internal sealed record CheckResult(ICheck Check, CheckState State, IReadOnlyList<Finding> Findings);
