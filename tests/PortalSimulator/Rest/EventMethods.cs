using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

internal static class EventMethods
{
    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL", "ONAPPPAYMENT", "ONAPPMETHODCONFIRM", "ONUSERADD",
        "ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONTASKADD", "ONTASKUPDATE",
    };

    public static RestReply Bind(RestRequest request)
    {
        var status = request.Portal.Quirks.RefusalStatus;
        var (name, handler) = (request.Text("event"), request.Text("handler"));
        if (string.IsNullOrEmpty(name)) return RestReply.Missing("EVENT", status);
        if (string.IsNullOrEmpty(handler)) return RestReply.Missing("HANDLER", status);
        if (HandlerUrl.Refuse(handler, status) is { } wrong) return wrong;
        if (!Known.Contains(name)) return RestReply.Error("ERROR_EVENT_NOT_FOUND", "Event not found", status);
        var asked = new BoundEvent(request.App.ClientId, name.ToUpperInvariant(), handler);
        return request.Portal.WithEvents(bound =>
        {
            if (bound.Contains(asked)) return RestReply.Error("ERROR_CORE", "Unable to set event handler: Handler already binded", status);
            bound.Add(asked);
            return RestReply.Ok(true);
        });
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
            one.ClientId == request.App.ClientId
            && one.Event.Equals(name, StringComparison.OrdinalIgnoreCase)
            && (string.IsNullOrEmpty(handler) || one.Handler == handler)));
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
