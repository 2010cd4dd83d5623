using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

internal static class PlacementMethods
{
    private const string AdminOnly = "Admin rights required";

    public static RestReply Bind(RestRequest request)
    {
        if (!request.User.Admin) return RestReply.AccessDenied(AdminOnly);
        var refusal = RefuseArguments(request, out var asked);
        if (refusal is not null) return refusal;
        return request.Portal.WithPlacements(registered =>
        {
            var refused = RefuseRegistration(request.Portal.Quirks, asked, registered);
            if (refused is not null) return refused;
            registered.Add(asked);
            return RestReply.Ok(true);
        });
    }

    public static RestReply Unbind(RestRequest request)
    {
        if (!request.User.Admin) return RestReply.AccessDenied(AdminOnly);
        var placement = request.Text("PLACEMENT");
        if (string.IsNullOrEmpty(placement)) return RestReply.Missing("PLACEMENT", request.Portal.Quirks.RefusalStatus);
        var handler = request.Text("HANDLER");
        var userId = request.Text("USER_ID");
        var removed = request.Portal.WithPlacements(registered => registered.RemoveAll(one =>
            one.ClientId == request.App.ClientId
            && one.Placement.Equals(placement, StringComparison.OrdinalIgnoreCase)
            && (string.IsNullOrEmpty(handler) || one.Handler == handler)
            && (string.IsNullOrEmpty(userId) || one.UserId.ToString(CultureInfo.InvariantCulture) == userId)));
        // Counted once when found and once more when removed.
        return RestReply.Ok(new JsonObject { ["count"] = removed * 2 });
    }

    public static RestReply Get(RestRequest request)
    {
        if (!request.User.Admin) return RestReply.AccessDenied(AdminOnly);
        var mine = request.Portal.Placements.Where(placement => placement.ClientId == request.App.ClientId);
        return RestReply.Ok(new JsonArray([.. mine.Select(ToJson)]));
    }

    /// <summary>Of the app's permissions, or of <c>SCOPE</c>; <c>FULL</c>: whatever the portal has. Needs no administrator.</summary>
    public static RestReply List(RestRequest request)
    {
        var scope = request.Text("SCOPE");
        var full = request.Text("FULL") is "1" or "Y" or "true";
        var codes = Catalogue.All
            .Where(code => full || request.App.Scopes.Contains(Catalogue.Scope(code)))
            .Where(code => string.IsNullOrEmpty(scope) || Catalogue.Scope(code) == scope);
        return RestReply.Ok(new JsonArray([.. codes.Select(code => (JsonNode)code)]));
    }

    private static RestReply? RefuseArguments(RestRequest request, out SimPlacement asked)
    {
        var status = request.Portal.Quirks.RefusalStatus;
        var placement = request.Text("PLACEMENT")?.ToUpperInvariant() ?? "";
        var handler = request.Text("HANDLER") ?? "";
        _ = int.TryParse(request.Text("USER_ID"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var userId);
        asked = Named(request, new SimPlacement(request.App.ClientId, placement, handler, userId, Options(request, placement)));
        if (placement.Length == 0) return RestReply.Missing("PLACEMENT", status);
        if (handler.Length == 0) return RestReply.Missing("HANDLER", status);
        if (HandlerUrl.Refuse(handler, status) is { } wrong) return wrong;
        // A placement whose permission the app has not is no placement to it.
        if (!request.App.Scopes.Contains(Catalogue.Scope(placement)))
            return RestReply.Error("ERROR_PLACEMENT_NOT_FOUND", "Placement not found", status);
        return userId > 0 && placement != Catalogue.Worker
            ? RestReply.Error("ERROR_PLACEMENT_USER_MODE", "User mode is not available", status)
            : null;
    }

    private static RestReply? RefuseRegistration(PortalQuirks quirks, SimPlacement asked, List<SimPlacement> registered)
    {
        var same = registered.FindAll(one => one.ClientId == asked.ClientId && one.Placement == asked.Placement);
        var counted = quirks.CountsPersonalWorkersTogether ? same.Count : same.Count(one => one.UserId == asked.UserId);
        if (Catalogue.IsUniversal(asked.Placement) && counted > 0)
            return RestReply.Error("ERROR_PLACEMENT_MAX_COUNT", "Placement max count: 1", quirks.RefusalStatus);
        if (asked.Placement == Catalogue.Worker && string.IsNullOrEmpty(asked.Options.FindText("errorHandlerUrl")))
        {
            var empty = RestReply.Error("EMPTY_ERROR_HANDLER_URL", "Empty option errorHandlerUrl", 200);
            return quirks.EmptyErrorHandlerInResult ? empty.InsideResult() : empty;
        }
        return same.Exists(one => one.Handler == asked.Handler)
            ? RestReply.Error("ERROR_CORE", "Unable to set placement handler: Handler already binded", quirks.RefusalStatus)
            : null;
    }

    // REST_APP_URI has no options: what is sent is accepted and forgotten.
    private static JsonObject Options(RestRequest request, string placement) =>
        placement != Catalogue.Link && request.Parameters.Find("OPTIONS") is JsonObject options ? (JsonObject)options.DeepClone() : [];

    private static SimPlacement Named(RestRequest request, SimPlacement placement)
    {
        if (request.Parameters.Find("LANG_ALL") is not JsonObject { Count: > 0 } all)
        {
            return placement with
            {
                Title = request.Text("TITLE") ?? "",
                Description = request.Text("DESCRIPTION") ?? "",
                GroupName = request.Text("GROUP_NAME") ?? "",
            };
        }
        var languages = new JsonObject();
        foreach (var (language, texts) in all)
            languages[language] = Texts(texts as JsonObject ?? []);
        var shown = (JsonObject)(languages["en"] ?? languages.First().Value)!;
        return placement with
        {
            Title = shown.FindText("TITLE")!,
            Description = shown.FindText("DESCRIPTION")!,
            GroupName = shown.FindText("GROUP_NAME")!,
            LangAll = languages,
        };
    }

    private static JsonObject Texts(JsonObject texts) => new()
    {
        ["TITLE"] = texts.FindText("TITLE") ?? "",
        ["DESCRIPTION"] = texts.FindText("DESCRIPTION") ?? "",
        ["GROUP_NAME"] = texts.FindText("GROUP_NAME") ?? "",
    };

    private static JsonNode ToJson(SimPlacement placement) => new JsonObject
    {
        ["placement"] = placement.Placement,
        ["userId"] = placement.UserId,
        ["handler"] = placement.Handler,
        ["options"] = PhpArray(placement.Options),
        ["title"] = placement.Title,
        ["description"] = placement.Description,
        ["groupName"] = placement.GroupName,
        ["langAll"] = PhpArray(placement.LangAll),
    };

    // PHP cannot tell an empty map from an empty list.
    private static JsonNode PhpArray(JsonObject map) => map.Count == 0 ? new JsonArray() : map.DeepClone();
}
