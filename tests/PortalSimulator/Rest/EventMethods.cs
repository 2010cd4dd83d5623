using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

internal static class EventMethods
{
    public static RestReply Bind(RestRequest request)
    {
        var status = request.Portal.Quirks.RefusalStatus;
        var (name, handler) = (request.Text("event"), request.Text("handler"));
        if (string.IsNullOrEmpty(name)) return RestReply.Missing("EVENT", status);
        if (string.IsNullOrEmpty(handler)) return RestReply.Missing("HANDLER", status);
        if (HandlerUrl.Refuse(handler, status) is { } wrong) return wrong;
        // Every module brings events of its own: what looks like one is taken for one.
        if (!name.StartsWith("ON", StringComparison.OrdinalIgnoreCase))
            return RestReply.Error("ERROR_EVENT_NOT_FOUND", "Event not found", status);
        return request.Portal.TryBind(request.App, name, handler)
            ? RestReply.Ok(true)
            : RestReply.Error("ERROR_CORE", "Unable to set event handler: Handler already binded", status);
    }

    /// <summary>ONAPPTEST with whatever came with the call: proof that the portal's server reaches the service.</summary>
    public static RestReply Test(RestRequest request)
    {
        var data = new JsonObject { ["QUERY"] = request.Parameters.DeepClone() };
        request.Portal.Tell("ONAPPTEST", data, request.User.Id, request.App);
        return RestReply.Ok(true);
    }

    public static RestReply Get(RestRequest request)
    {
        var mine = request.Portal.EventHandlers.Where(bound => bound.ClientId == request.App.ClientId);
        return RestReply.Ok(new JsonArray([.. mine.Select(ToJson)]));
    }

    public static RestReply Unbind(RestRequest request)
    {
        var (name, handler) = (request.Text("event"), request.Text("handler"));
        if (string.IsNullOrEmpty(name)) return RestReply.Missing("EVENT", request.Portal.Quirks.RefusalStatus);
        var removed = request.Portal.WithEvents(bound => bound.RemoveAll(one =>
            one.Is(request.App.ClientId, name) && (string.IsNullOrEmpty(handler) || one.Handler == handler)));
        return RestReply.Ok(new JsonObject { ["count"] = removed });
    }

    private static JsonNode ToJson(BoundEvent bound) => new JsonObject
    {
        ["event"] = bound.Event,
        ["handler"] = bound.Handler,
        ["auth_type"] = "0",
        ["offline"] = 0,
    };
}
