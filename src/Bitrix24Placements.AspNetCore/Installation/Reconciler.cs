using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <param name="Error">Bitrix24's code, or ours; null where it is registered.</param>
/// <param name="Changed">Whether anything had to be done.</param>
internal sealed record PlacementOutcome(string Placement, string Handler, RestError? Error, bool Changed = false)
{
    public bool IsRegistered => Error is null;
}

/// <summary>What a reconciliation has come to.</summary>
/// <param name="EventsError">Why the app's events are not bound; null where they are.</param>
internal sealed record Reconciliation(IReadOnlyList<PlacementOutcome> Placements, RestError? EventsError)
{
    public bool Finished => EventsError is null && Placements.All(static p => p.IsRegistered);

    public RestError? FirstError => Placements.FirstOrDefault(static p => p.Error is not null)?.Error ?? EventsError;
}

/// <summary>Brings a portal's registrations to what is declared: looks first, then does only what is needed, one call at a time.</summary>
/// <remarks>placement.* are never batched: some portals refuse that. https://apidocs.bitrix24.com/api-reference/widgets/placement-bind.html</remarks>
internal sealed partial class Reconciler(RestClient rest, PortalStore portals, PlacementCatalogue catalogue, AppEvents events, InstallationMetrics metrics, ILogger<Reconciler> logger)
{
    /// <summary>A bind whose outcome is unknown is looked at and tried anew, so often.</summary>
    private const int Rounds = 3;

    private const string AlreadyBound = "ERROR_CORE";
    private const string MaxCount = "ERROR_PLACEMENT_MAX_COUNT";

    /// <param name="progress">Called with every placement's outcome as soon as it is known.</param>
    public async Task<Reconciliation> RunAsync(Portal portal, Func<PlacementOutcome, Task>? progress, CancellationToken cancellationToken)
    {
        portal = await WithRemovalKeyAsync(portal, cancellationToken);
        var outcomes = new List<PlacementOutcome>();
        await foreach (var outcome in ReconcileAsync(portal, cancellationToken))
        {
            outcomes.Add(outcome);
            if (progress is not null)
                await progress(outcome);
        }

        var eventsError = outcomes.Exists(static o => o.IsRegistered) ? await events.EnsureAsync(portal.Id, cancellationToken) : outcomes[0].Error;
        var reconciliation = new Reconciliation(outcomes, eventsError);
        await portals.SaveReconciliationAsync(portal.Id, portal.Epoch, reconciliation.Finished ? catalogue.Declaration : "", OutcomeJson.Placements(outcomes), cancellationToken);
        metrics.Reconciled(reconciliation.Finished ? "ok" : RestErrors.Label(reconciliation.FirstError?.Code));
        Log.Reconciled(logger, portal.Id, reconciliation.FirstError?.Code ?? "ok", outcomes.Count(static o => o.Changed));
        return reconciliation;
    }

    private async IAsyncEnumerable<PlacementOutcome> ReconcileAsync(Portal portal, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var looked = catalogue.CanDeclare ? await LookAsync(portal.Id, cancellationToken) : RestError.NotConfigured;
        foreach (var declared in catalogue.For(portal))
        {
            yield return looked.Ok
                ? await EnsureAsync(portal.Id, declared, looked.Value, cancellationToken)
                : new PlacementOutcome(declared.Placement, declared.Handler, looked.Error);
        }
    }

    private async Task<RestResult<List<Registration>>> LookAsync(PortalId id, CancellationToken cancellationToken)
    {
        var answer = await rest.CallAsync(id, new RestCall("placement.get"), cancellationToken);
        return answer.Ok ? Registration.ReadAll(answer.Value) : answer.Error;
    }

    private async Task<PlacementOutcome> EnsureAsync(PortalId id, DeclaredPlacement declared, List<Registration> registered, CancellationToken cancellationToken)
    {
        RestError? error = null;
        for (var round = 0; round < Rounds; round++)
        {
            if (Registration.IsRight(registered, declared))
                return new(declared.Placement, declared.Handler, null, Changed: round > 0);
            error = await ChangeAsync(id, declared, registered, cancellationToken);
            if (error is null)
                return new(declared.Placement, declared.Handler, null, Changed: true);
            // Of a lost answer, and of "there is one already", placement.get knows more.
            if (error.Kind == RestErrorKind.Refused && error.Code is not (MaxCount or AlreadyBound))
                break;
            var looked = await LookAsync(id, cancellationToken);
            if (!looked.Ok)
                return new(declared.Placement, declared.Handler, looked.Error);
            registered = looked.Value;
        }

        return Registration.IsRight(registered, declared) ? new(declared.Placement, declared.Handler, null, Changed: true) : new(declared.Placement, declared.Handler, error);
    }

    /// <summary>Removes what is in the way, then binds where the declared registration is not there. Null: done.</summary>
    private async Task<RestError?> ChangeAsync(PortalId id, DeclaredPlacement declared, List<Registration> registered, CancellationToken cancellationToken)
    {
        var ours = registered.Where(r => r.Placement == declared.Placement).ToList();
        var right = ours.Find(r => r.Is(declared));
        foreach (var wrong in ours.Where(r => r != right))
        {
            var unbind = new JsonObject { ["PLACEMENT"] = wrong.Placement, ["HANDLER"] = wrong.Handler };
            if (wrong.UserId > 0)
                unbind["USER_ID"] = wrong.UserId;
            var removed = await rest.CallAsync(id, new RestCall("placement.unbind", unbind), cancellationToken);
            if (!removed.Ok)
                return removed.Error;
        }

        if (right is not null)
            return null;
        var bound = await rest.CallAsync(id, new RestCall("placement.bind", catalogue.BindParameters(declared)), cancellationToken);
        // Anything but "true" says as little as no answer.
        return bound.Ok && bound.Value.ValueKind != JsonValueKind.True ? RestError.Unknown("The portal answered placement.bind with no word on whether it is bound.") : bound.Error;
    }

    /// <summary>The key of the errorHandlerUrl can be lost with the keys that encrypt it: then there is another one to register.</summary>
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
