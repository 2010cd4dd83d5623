namespace Bitrix24Placements.Work;

/// <summary>What becomes of a piece of work after an attempt.</summary>
/// <param name="Pause">Null: done. Otherwise: again after this time.</param>
/// <param name="Payload">What to go on with; null keeps what is there.</param>
internal readonly record struct WorkResult(TimeSpan? Pause, string? Payload = null)
{
    public static readonly WorkResult Done = new(null);

    public static WorkResult Again(TimeSpan pause, string? payload = null) => new(pause, payload);
}

/// <summary>Carries out one kind of work. It may be killed at any instant and is then begun anew, here or on another instance.</summary>
internal interface IWork
{
    /// <summary>The kind's name, or its beginning where it ends with a colon.</summary>
    string Kind { get; }

    Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken);
}

/// <summary>Pauses that grow with every failure.</summary>
internal static class Pauses
{
    public static TimeSpan Growing(int attempt, params ReadOnlySpan<double> seconds) =>
        TimeSpan.FromSeconds(seconds[Math.Min(attempt, seconds.Length - 1)]);

    /// <summary>Of something that did not answer.</summary>
    public static TimeSpan AfterSilence(int attempt) => Growing(attempt, 2, 10, 30, 120, 600, 1800, 3600);
}
