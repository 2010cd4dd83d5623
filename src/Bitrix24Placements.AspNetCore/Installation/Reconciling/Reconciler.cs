using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <summary>Looks first, then does only what is needed.</summary>
/// <remarks>placement.* are never batched: some portals refuse that.
/// https://apidocs.bitrix24.com/api-reference/widgets/placement-bind.html</remarks>
internal sealed partial class Reconciler(
    RestClient rest, PortalStore portals, PlacementCatalogue catalogue, EventBindings events, InstallationMetrics metrics,
        ILogger<Reconciler> logger)
{
    /// <summary>After an unknown outcome.</summary>
    private const int MaxRounds = 3;

    private const string AlreadyBound = "ERROR_CORE";
    private const string MaxCount = "ERROR_PLACEMENT_MAX_COUNT";

    public async Task<Reconciliation> RunAsync(Portal portal, Action<PlacementOutcome> progress, CancellationToken cancellationToken)
    {
        portal = await WithRemovalKeyAsync(portal, cancellationToken);
        var outcomes = new List<PlacementOutcome>();
        var looked = catalogue.CanDeclare ? await Registration.AllAsync(rest, portal.Id, cancellationToken) : RestError.NotConfigured;
        foreach (var declared in catalogue.For(portal))
        {
            var outcome = looked.Ok
                ? await EnsureAsync(portal.Id, declared, looked.Value, cancellationToken)
                : PlacementOutcome.Of(declared, looked.Error);
            outcomes.Add(outcome);
            progress(outcome);
        }

        if (looked.Ok)
            await RemoveUndeclaredAsync(portal.Id, looked.Value, cancellationToken);
        var eventsError = outcomes.Exists(o => o.IsRegistered) ? await events.EnsureAsync(portal.Id, cancellationToken)
            : outcomes[0].Failure;
        var reconciliation = new Reconciliation([.. outcomes], eventsError);
        var declaration = reconciliation.Finished ? catalogue.Declaration : "";
        await portals.SaveReconciliationAsync(
            portal.Id, portal.Epoch, declaration, PlacementOutcome.Serialize(reconciliation.Placements), cancellationToken);
        metrics.Reconciled(portal.Id, RestErrors.Label(reconciliation.FirstError?.Code));
        Log.Reconciled(logger, portal.Id, reconciliation.FirstError?.Code ?? "ok", outcomes.Count(o => o.Changed));
        return reconciliation;
    }

    private async Task<PlacementOutcome> EnsureAsync(PortalId id, DeclaredPlacement declared, List<Registration> registered,
        CancellationToken cancellationToken)
    {
        var parameters = catalogue.BindParameters(declared);
        RestError? error = null;
        for (var round = 0; round < MaxRounds; round++)
        {
            if (Registration.IsThere(registered, declared)
                && (round > 0 || registered.Exists(r => r.Is(declared) && r.IsCalled(parameters["LANG_ALL"]))))
                return PlacementOutcome.Of(declared, null, changed: round > 0);
            error = await ChangeAsync(id, declared, parameters, registered, cancellationToken);
            if (error is null)
                return PlacementOutcome.Of(declared, null, changed: true);
            // After a lost answer, or "there is one already", placement.get knows more.
            if (error.Kind == RestErrorKind.Refused && !IsOccupied(error))
                break;
            var looked = await Registration.AllAsync(rest, id, cancellationToken);
            if (!looked.Ok)
                return PlacementOutcome.Of(declared, looked.Error);
            registered = looked.Value;
        }

        return PlacementOutcome.Of(declared, Registration.IsThere(registered, declared) ? null : error, changed: true);
    }

    /// <summary>Binds first: a refused address must not cost the one that works. Null: done.</summary>
    private async Task<RestError?> ChangeAsync(
        PortalId id, DeclaredPlacement declared, JsonObject parameters, List<Registration> registered, CancellationToken cancellationToken)
    {
        var there = registered.FindAll(r => r.Placement == declared.Placement);
        var right = there.Find(r => r.Is(declared) && r.IsCalled(parameters["LANG_ALL"]));
        // What stands at this address under another name goes first: unbinding goes by the address.
        var isToBind = right is null;
        if (isToBind && !there.Exists(r => r.Handler == declared.Handler))
        {
            if (await BindAsync(id, parameters, cancellationToken) is not { } refused)
                isToBind = false;
            else if (there.Count == 0 || !IsOccupied(refused))
                return refused;
        }

        foreach (var wrong in there.Where(r => r != right))
        {
            if (await UnbindAsync(id, wrong, cancellationToken) is { } failed)
                return failed;
        }

        return isToBind ? await BindAsync(id, parameters, cancellationToken) : null;
    }

    private static bool IsOccupied(RestError error) => error is { Kind: RestErrorKind.Refused, Code: MaxCount or AlreadyBound };

    private async Task<RestError?> BindAsync(PortalId id, JsonObject parameters, CancellationToken cancellationToken)
    {
        var bound = await rest.CallAsync(id, RestCall.Own("placement.bind", parameters), cancellationToken);
        // Anything but "true" says as little as no answer.
        return bound.Ok && bound.Value.ValueKind != JsonValueKind.True
            ? RestError.Unknown("The portal answered placement.bind with no word on whether it is bound.") : bound.Error;
    }

    /// <summary>Of an earlier version. What somebody has bound at addresses of his own stays.</summary>
    private async Task RemoveUndeclaredAsync(PortalId id, List<Registration> registered, CancellationToken cancellationToken)
    {
        foreach (var stale in registered.Where(r => !catalogue.Codes.Contains(r.Placement)
            && r.Handler.EndsWith(MappedPlacement.PathOf(r.Placement), StringComparison.Ordinal)))
        {
            if (await UnbindAsync(id, stale, cancellationToken) is { Kind: not RestErrorKind.Refused })
                return;
        }
    }

    private async Task<RestError?> UnbindAsync(PortalId id, Registration registration, CancellationToken cancellationToken)
    {
        var parameters = new JsonObject { ["PLACEMENT"] = registration.Placement, ["HANDLER"] = registration.Handler };
        if (registration.UserId > 0)
            parameters["USER_ID"] = registration.UserId;
        return (await rest.CallAsync(id, RestCall.Own("placement.unbind", parameters), cancellationToken)).Error;
    }

    /// <summary>Lost with the keys that encrypt it.</summary>
    private async Task<Portal> WithRemovalKeyAsync(Portal portal, CancellationToken cancellationToken)
    {
        if (!portal.RemovalKey.IsEmpty)
            return portal;
        var key = new Secret(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        await portals.ReplaceRemovalKeyAsync(portal.Id, key, cancellationToken);
        return portal with { RemovalKey = key };
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Placements of portal {MemberId} reconciled: {Outcome}, {Changes} changed")]
        public static partial void Reconciled(ILogger logger, PortalId memberId, string outcome, int changes);
    }
}
