using Bitrix24Placements.Installation;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor.Checks;

internal sealed class RegistrationCheck(RestClient rest, PlacementCatalogue catalogue, EventBindings bindings)
    : CheckOfPortal(Name, SettingsCheck.Name, PortalCheck.Name)
{
    public const string Name = "registrations";

    protected override async Task<IReadOnlyList<Finding>> RunAsync(Portal portal, CancellationToken cancellationToken)
    {
        var placements = await AskAsync(rest, portal, "placement.get", null, cancellationToken);
        if (!placements.Ok)
            return Refused(portal, "placement.get", placements.Error);
        var events = await AskAsync(rest, portal, "event.get", null, cancellationToken);
        if (!events.Ok)
            return Refused(portal, "event.get", events.Error);
        var declaredEvents = bindings.Names.Select(name => (Name: name, Handler: catalogue.EventsUrl ?? ""));
        return
        [
            .. Compare("placement", catalogue.Handlers().Select(h => (h.Placement, h.Handler)), Read(placements.Value, "placement")),
            .. Compare("event", declaredEvents, Read(events.Value, "event")),
        ];
    }

    private static IEnumerable<Finding> Compare(
        string kind, IEnumerable<(string Name, string Handler)> declared, List<(string Name, string Handler)> registered)
    {
        foreach (var (name, handler) in declared)
        {
            var there = registered.FindAll(r => r.Name == name);
            if (there.Exists(r => r.Handler == handler))
                continue;
            yield return there is [var other, ..]
                ? new($"{kind}.elsewhere", $"{name}: {RestErrors.CleanText(other.Handler)}")
                : new($"{kind}.missing", name);
        }
    }

    private static List<(string Name, string Handler)> Read(JsonElement result, string name) => result.ValueKind != JsonValueKind.Array
        ? []
        : [.. result.EnumerateArray().Select(e => ((e.Text(name) ?? "").ToUpperInvariant(), e.Text("handler") ?? ""))];
}
