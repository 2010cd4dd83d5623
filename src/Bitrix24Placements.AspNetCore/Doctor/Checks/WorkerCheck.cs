using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor.Checks;

internal sealed class WorkerCheck(WorkerLoads loads, Heartbeats heartbeats) : CheckOfPortal(Name, TokenKeysCheck.Name)
{
    public const string Name = "worker";

    /// <summary>A user's first page of the hour speaks; others of that hour need not.</summary>
    private const int ManyLoads = 20;

    protected override async Task<IReadOnlyList<Finding>> RunAsync(Portal portal, CancellationToken cancellationToken)
    {
        var loaded = (await loads.LastDayAsync(portal.Id, cancellationToken)).Sum(h => h.Loads);
        var heard = await heartbeats.SumAsync(portal.Id, cancellationToken);
        if (heard.Loads == 0)
            return loaded >= ManyLoads ? Finding.One("worker.silent", $"{loaded} → 0") : Finding.Note("worker.few", $"{loaded}");
        return heard.Slow >= WorkerLoads.WarnFrom
            ? Finding.One("worker.slow", $"{heard.Slow} / {heard.Loads} > {WorkerLoads.SlowFrom.TotalSeconds} s") : Finding.None;
    }
}
