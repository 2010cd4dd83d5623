using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

internal sealed record LookMemory(long LostAt);

/// <summary>No notice of a removal is sure to come: so placements are looked for, daily, and more often after a loss.</summary>
internal sealed partial class LookWork(
    RestClient rest, PortalStore portals, PlacementCatalogue catalogue, WorkStore work, TimeProvider time,
    ILogger<LookWork> logger) : IWork
{
    private static readonly TimeSpan Usually = TimeSpan.FromDays(1);
    public static readonly TimeSpan AfterLoss = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan LossForgotten = TimeSpan.FromDays(1);

    public string Kind => WorkKind.Look;

    /// <summary>Spread over the day.</summary>
    public static TimeSpan FirstPause() => Usually * Random.Shared.NextDouble();

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        if (await portals.FindAsync(item.Id, cancellationToken) is not { State: not PortalState.Uninstalled } portal)
            return WorkResult.Done;
        // What brings it back asks for no reconciliation: the end of a refresh.
        if (portal.State == PortalState.Suspended)
            return WorkResult.Again(Usually);
        var memory = item.Payload is null ? null : JsonSerializer.Deserialize(item.Payload, InstallationJson.Default.LookMemory);
        var lost = DateTimeOffset.FromUnixTimeMilliseconds(memory?.LostAt ?? 0);
        if (portal.RemovedAt > lost)
            lost = portal.RemovedAt;
        if (catalogue.CanDeclare && portal.TokenState != TokenState.Dead)
        {
            var registered = await Registration.AllAsync(rest, portal.Id, cancellationToken);
            var isMissing = registered.Ok && !catalogue.For(portal).All(declared => Registration.IsThere(registered.Value, declared));
            if (isMissing)
            {
                lost = time.GetUtcNow();
                Log.Missing(logger, portal.Id);
            }

            // Who may not look is perhaps no administrator any more: the reconciliation finds out.
            if (isMissing || registered.Error?.Code == RestErrors.AccessDenied)
                await work.RequestAsync(new(portal.Id, WorkKind.Reconcile), cancellationToken);
        }

        return WorkResult.Again(time.GetUtcNow() - lost < LossForgotten ? AfterLoss : Usually * (0.75 + (Random.Shared.NextDouble() / 4)),
            JsonSerializer.Serialize(new(lost.ToUnixTimeMilliseconds()), InstallationJson.Default.LookMemory));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A placement is missing on portal {MemberId}, though no notice of its removal came")]
        public static partial void Missing(ILogger logger, PortalId memberId);
    }
}
