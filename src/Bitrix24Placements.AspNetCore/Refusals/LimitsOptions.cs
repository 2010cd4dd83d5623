using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Refusals;

internal sealed class LimitsOptions : ISettings
{
    public static string Section => "Limits";

    /// <summary>Failed attempts per minute, address and member_id; ten times as many per address alone.</summary>
    public int UnverifiedPerMinute { get; set; } = 300;

    /// <summary>Launches that wait for an OAuth server at the same time; as many again may queue.</summary>
    public int ConcurrentConfirmations { get; set; } = 64;

    /// <summary>Pages, API calls and events, so many of each.</summary>
    public int ConcurrentRequests { get; set; } = 512;

    /// <summary>Beyond it the answer is 503 at once.</summary>
    public int ConcurrentWorkerLoads { get; set; } = 4096;

    public void Read(IConfigurationSection section)
    {
        UnverifiedPerMinute = section.AtLeastOne(nameof(UnverifiedPerMinute), UnverifiedPerMinute);
        ConcurrentConfirmations = section.AtLeastOne(nameof(ConcurrentConfirmations), ConcurrentConfirmations);
        ConcurrentRequests = section.AtLeastOne(nameof(ConcurrentRequests), ConcurrentRequests);
        ConcurrentWorkerLoads = section.AtLeastOne(nameof(ConcurrentWorkerLoads), ConcurrentWorkerLoads);
    }
}
