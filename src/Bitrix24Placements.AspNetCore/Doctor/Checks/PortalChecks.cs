using System.Diagnostics;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor;

internal sealed class PortalChecks(
    RestClient rest, PlacementCatalogue catalogue, EventBindings bindings, Permissions permissions, ProbeHttp probe, WorkerLoads loads,
    Heartbeats heartbeats)
{
    private const string TestEvent = "ONAPPTEST";

    /// <summary>Only a user's first page of the hour has to speak.</summary>
    private const int ManyLoads = 20;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EventTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(200);

    public async Task<Finding[]> TokensAsync(Portal portal, CancellationToken cancellationToken)
    {
        if (portal.State != PortalState.Installed)
            return [new("portal.unknown", $"{portal.Id}: {portal.State}")];
        if (portal.TokenState == TokenState.Dead)
            return [new("portal.tokens", $"{portal.Id}")];
        var answer = await AskAsync(portal, "scope", null, cancellationToken);
        if (answer.Error is { Kind: RestErrorKind.NoTokens })
            return [new("portal.tokens", $"{portal.Id}")];
        if (!answer.Ok)
            return Refused(portal, "scope", answer.Error);
        string[] missing = [.. permissions.Needed.Except(answer.Value.Entries().Select(s => s.ToString()))];
        return missing is [] ? [] : [new("scope.missing", $"{portal.ClientEndpoint.Host}: {string.Join(", ", missing)}")];
    }

    public async Task<Finding[]> RegistrationsAsync(Portal portal, CancellationToken cancellationToken)
    {
        var placements = await AskAsync(portal, "placement.get", null, cancellationToken);
        if (!placements.Ok)
            return Refused(portal, "placement.get", placements.Error);
        var events = await AskAsync(portal, "event.get", null, cancellationToken);
        if (!events.Ok)
            return Refused(portal, "event.get", events.Error);
        return
        [
            .. Compare("placement", catalogue.Handlers().Select(h => (h.Placement, h.Handler)), placements.Value),
            .. Compare("event", bindings.Names.Select(name => (name, catalogue.EventsUrl ?? "")), events.Value),
        ];
    }

    /// <param name="kind">As the portal's answer calls the name, too.</param>
    private static IEnumerable<Finding> Compare(string kind, IEnumerable<(string Name, string Handler)> declared, JsonElement answer)
    {
        var registered = answer.Entries().ToLookup(e => (e.Text(kind) ?? "").ToUpperInvariant(), e => e.Text("handler") ?? "");
        foreach (var (name, handler) in declared.Where(d => !registered[d.Name].Contains(d.Handler)))
            yield return registered[name].FirstOrDefault() is { } other
                ? new($"{kind}.elsewhere", $"{name}: {RestErrors.CleanText(other)}")
                : new($"{kind}.missing", name);
    }

    /// <summary>The portal is asked to send ONAPPTEST, which has to come and to be believed.</summary>
    /// <remarks>https://apidocs.bitrix24.com/api-reference/events/index.html</remarks>
    public async Task<Finding[]> WayBackAsync(Portal portal, CancellationToken cancellationToken)
    {
        // The path is every event's; the query tells this one from others'.
        var handler = $"{catalogue.EventsUrl}?{HeardEvents.Parameter}={EchoSeal.NewNonce()}";
        var binding = new JsonObject { ["event"] = TestEvent, ["handler"] = handler };
        var bound = await AskAsync(portal, "event.bind", binding, cancellationToken);
        if (!bound.Ok)
            return Refused(portal, "event.bind", bound.Error);
        try
        {
            var asked = await AskAsync(portal, "event.test", null, cancellationToken);
            return asked.Ok ? await WaitAsync(handler, portal, cancellationToken) : Refused(portal, "event.test", asked.Error);
        }
        finally
        {
            await AskAsync(portal, "event.unbind", binding, CancellationToken.None);
        }
    }

    private async Task<Finding[]> WaitAsync(string handler, Portal portal, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        do
        {
            // One of the instances behind the address has heard it.
            var answer = await probe.AskAsync(handler, 0, cancellationToken);
            if (answer.Echo?.Heard is { } status)
                return status == StatusCodes.Status200OK ? [] : [new("event.refused", $"{TestEvent} → {catalogue.EventsUrl}: {status}")];
            await Task.Delay(AskEvery, cancellationToken);
        }
        while (Stopwatch.GetElapsedTime(started) < EventTimeout);
        return [new("event.silent", $"{portal.ClientEndpoint.Host} → {catalogue.EventsUrl}: {TestEvent}, {EventTimeout.TotalSeconds} s")];
    }

    public async Task<Finding[]> WorkerAsync(Portal portal, CancellationToken cancellationToken)
    {
        var loaded = (await loads.LastDayAsync(portal.Id, cancellationToken)).Sum(h => h.Loads);
        var heard = await heartbeats.SumAsync(portal.Id, cancellationToken);
        if (heard.Loads == 0)
            return loaded >= ManyLoads ? [new("worker.silent", $"{loaded} → 0")] : [Finding.Note("worker.few", $"{loaded}")];
        return heard.Slow >= WorkerLoads.WarnFrom
            ? [new("worker.slow", $"{heard.Slow} / {heard.Loads} > {WorkerLoads.SlowFrom.TotalSeconds} s")] : [];
    }

    private Task<RestResult<JsonElement>> AskAsync(
        Portal portal, string method, JsonObject? parameters, CancellationToken cancellationToken) => rest.CallAsync(
        portal.Id, RestCall.Own(method, parameters) with { Deadline = CallTimeout, Repeat = Repeat.Safe }, cancellationToken);

    private static Finding[] Refused(Portal portal, string method, RestError error) =>
        [new("portal.refused", $"{portal.ClientEndpoint.Host}: {method}, {error.Code}")];
}
