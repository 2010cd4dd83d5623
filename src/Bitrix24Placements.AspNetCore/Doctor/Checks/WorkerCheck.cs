using Bitrix24Placements.Placements;

namespace Bitrix24Placements.Doctor.Checks;

internal sealed class WorkerCheck(WorkerLoads loads, Heartbeats heartbeats) : ICheck
{
    public const string Name = "worker";

    /// <summary>A user's first page of the hour speaks; others of that hour need not.</summary>
    private const int ManyLoads = 20;

    public string Id => Name;

    public IReadOnlyList<string> Needs => [TokenKeysCheck.Name];

    public async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        if (examination.Portal is not { } portal)
            return Finding.Note("portal.none");
        var loaded = (await loads.LastDayAsync(portal.Id, cancellationToken)).Sum(static h => h.Loads);
        var heard = await heartbeats.SumAsync(portal.Id, cancellationToken);
        if (heard.Loads == 0)
            return loaded >= ManyLoads ? Finding.One("worker.silent", $"{loaded} → 0") : Finding.Note("worker.few", $"{loaded}");
        return heard.Slow >= WorkerLoads.WarnFrom
            ? Finding.One("worker.slow", $"{heard.Slow} / {heard.Loads} > {WorkerLoads.SlowFrom.TotalSeconds} s") : Finding.None;
    }
}
