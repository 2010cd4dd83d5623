using Bitrix24Placements.Events;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Installation;

/// <summary>Bound on every portal: the service's own two, and those that have a handler.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/events/event-bind.html</remarks>
internal sealed class EventBindings(RestClient rest, PlacementCatalogue catalogue, EventHandlers handlers)
{
    private static readonly string[] Own = [AppEvent.Uninstall, AppEvent.Update];

    public IReadOnlyList<string> Names => [.. Own, .. handlers.Names];

    private readonly record struct Binding(string Event, string Handler);

    /// <summary>Unbinds what is no longer ours, too. Null: all is well.</summary>
    public async Task<RestError?> EnsureAsync(PortalId id, CancellationToken cancellationToken)
    {
        var handler = catalogue.EventsUrl ?? "";
        var names = Names;
        var looked = await rest.CallAsync(id, RestCall.Own("event.get"), cancellationToken);
        if (!looked.Ok && looked.Error.Kind != RestErrorKind.Refused)
            return looked.Error;
        var bound = looked.Ok ? Read(looked.Value) : [];
        // Where the app's own events go as well, it is an older address of this service.
        var ours = bound.Where(b => Own.Contains(b.Event) && b.Handler.EndsWith(AppPaths.Events, StringComparison.Ordinal))
            .Select(b => b.Handler).Append(handler).ToHashSet();
        foreach (var stale in bound.Where(b => ours.Contains(b.Handler) && (b.Handler != handler || !names.Contains(b.Event))))
        {
            if (await CallAsync(id, "event.unbind", stale, cancellationToken) is { Kind: not RestErrorKind.Refused } silent)
                return silent;
        }

        foreach (var missing in names.Select(n => new Binding(n, handler)).Except(bound))
        {
            if (await CallAsync(id, "event.bind", missing, cancellationToken) is { } error)
                return error;
        }

        return null;
    }

    private async Task<RestError?> CallAsync(PortalId id, string method, Binding binding, CancellationToken cancellationToken)
    {
        // A second bind is refused as already bound.
        var parameters = new JsonObject { ["event"] = binding.Event, ["handler"] = binding.Handler };
        var result = await rest.CallAsync(id, RestCall.Own(method, parameters) with { Repeat = Repeat.Safe }, cancellationToken);
        return result.Ok || IsAlreadyBound(result.Error) ? null : result.Error;
    }

    private static bool IsAlreadyBound(RestError error) =>
        error.Code is "ERROR_EVENT_BINDING_EXISTS"
        || error.Description.Contains("already bin", StringComparison.OrdinalIgnoreCase)
        || error.Description.Contains("already bound", StringComparison.OrdinalIgnoreCase);

    /// <summary>Those that may be ours: they stay in memory while the portal is called.</summary>
    private static List<Binding> Read(JsonElement result) =>
    [
        .. result.Entries().Take(Registration.Max)
            .Select(static e => new Binding((e.Text("event") ?? "").ToUpperInvariant(), e.Text("handler") ?? ""))
            .Where(static b => b.Event.Length + b.Handler.Length <= Registration.MaxAddress
                && b.Handler.EndsWith(AppPaths.Events, StringComparison.Ordinal)),
    ];
}
