namespace Bitrix24Placements.Work;

/// <param name="Payload">What to go on with; null keeps what is there.</param>
internal readonly record struct WorkResult(TimeSpan? Pause, string? Payload = null)
{
    public static readonly WorkResult Done = new(null);

    public static WorkResult Again(TimeSpan pause, string? payload = null) => new(pause, payload);
}

/// <summary>May be killed at any instant, and is begun anew, here or elsewhere.</summary>
internal interface IWork
{
    /// <summary>A kind, or the beginning of one where it ends with a colon.</summary>
    string Kind { get; }

    Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken);
}

internal static class Pauses
{
    public static TimeSpan Growing(int attempt, params ReadOnlySpan<double> seconds) =>
        TimeSpan.FromSeconds(seconds[Math.Min(attempt, seconds.Length - 1)]);

    /// <summary>For what another instance is to do. Each looks once a second: without chance this one could always be the first.</summary>
    public static TimeSpan LeftToOthers() => TimeSpan.FromSeconds(1 + Random.Shared.NextDouble());

    public static TimeSpan AfterSilence(int attempt) => Growing(attempt, 2, 10, 30, 120, 600, 1800, 3600);
}
