using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Installation;

/// <summary>The two events that the service has to hear of: ONAPPUNINSTALL and ONAPPUPDATE.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/events/event-bind.html</remarks>
internal sealed class AppEvents(RestClient rest, PlacementCatalogue catalogue)
{
    private static readonly string[] Names = ["ONAPPUNINSTALL", "ONAPPUPDATE"];

    /// <summary>Binds what is not bound, and removes our own handlers at addresses that are no longer ours. Null: all is well.</summary>
    public async Task<RestError?> EnsureAsync(PortalId id, CancellationToken cancellationToken)
    {
        var handler = catalogue.EventsUrl!;
        var looked = await rest.CallAsync(id, new RestCall("event.get"), cancellationToken);
        if (!looked.Ok && looked.Error.Kind != RestErrorKind.Refused)
            return looked.Error;
        var bound = looked.Ok ? Read(looked.Value) : [];
        foreach (var name in Names)
        {
            foreach (var stale in bound.Where(b => b.Event == name && b.Handler != handler && b.Handler.EndsWith(AppPaths.Events, StringComparison.Ordinal)))
                await CallAsync(id, "event.unbind", name, stale.Handler, cancellationToken);
            if (!bound.Contains((name, handler)) && await CallAsync(id, "event.bind", name, handler, cancellationToken) is { } error)
                return error;
        }

        return null;
    }

    private async Task<RestError?> CallAsync(PortalId id, string method, string name, string handler, CancellationToken cancellationToken)
    {
        // A second bind of the same handler is refused as already bound, so repeating does no harm.
        var result = await rest.CallAsync(id, new RestCall(method, new JsonObject { ["event"] = name, ["handler"] = handler }) { Repeat = Repeat.Safe }, cancellationToken);
        return result.Ok || IsAlreadyBound(result.Error) ? null : result.Error;
    }

    private static bool IsAlreadyBound(RestError error) =>
        error.Description.Contains("already bin", StringComparison.OrdinalIgnoreCase) || error.Description.Contains("already bound", StringComparison.OrdinalIgnoreCase)
        || error.Code is "ERROR_EVENT_BINDING_EXISTS";

    private static List<(string Event, string Handler)> Read(JsonElement result) =>
        result.ValueKind != JsonValueKind.Array ? [] : [.. result.EnumerateArray().Select(static e => ((e.Text("event") ?? "").ToUpperInvariant(), e.Text("handler") ?? ""))];
}
