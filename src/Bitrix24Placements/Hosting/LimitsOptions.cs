namespace Bitrix24Placements.Hosting;

/// <summary>Section <c>Limits</c>.</summary>
public sealed class LimitsOptions
{
    public const string Section = "Limits";

    /// <summary>Failed attempts per minute, address and member_id; ten times as many per address alone.</summary>
    public int UnverifiedPerMinute { get; set; } = 300;

    /// <summary>Launches that wait for an OAuth server at the same time; as many again may queue.</summary>
    public int ConcurrentConfirmations { get; set; } = 64;

    /// <summary>Requests served at the same time, worker loads not counted; beyond it the answer is 503 at once.</summary>
    public int ConcurrentRequests { get; set; } = 512;

    /// <summary>Worker loads served at the same time; beyond it the answer is 503 at once.</summary>
    public int ConcurrentWorkerLoads { get; set; } = 4096;
}
