using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

internal static class UserMethods
{
    public static RestReply Profile(RestRequest request) => RestReply.Ok(new JsonObject
    {
        ["ID"] = request.User.Id.ToString(CultureInfo.InvariantCulture),
        ["ADMIN"] = request.User.Admin,
        ["NAME"] = request.User.FirstName,
        ["LAST_NAME"] = request.User.LastName,
        ["PERSONAL_GENDER"] = "",
        ["TIME_ZONE"] = "",
    });

    public static RestReply Current(RestRequest request) => RestReply.Ok(ToJson(request.User));

    /// <summary>All people, or those of <c>ID</c>, <c>filter[ID]</c> and <c>ACTIVE</c>.</summary>
    public static RestReply Get(RestRequest request)
    {
        var filter = request.Parameters.Find("filter") as JsonObject ?? request.Parameters;
        var (id, active) = (filter.FindText("ID"), filter.FindText("ACTIVE"));
        var found = request.Portal.Users
            .Where(user => id is null || user.Id.ToString(CultureInfo.InvariantCulture) == id)
            .Where(user => active is null || user.Active == (active is "1" or "Y" or "true"))
            .ToList();
        return RestReply.Page(new JsonArray([.. found.Select(ToJson)]), found.Count, found.Count);
    }

    public static RestReply Scope(RestRequest request) =>
        RestReply.Ok(new JsonArray([.. request.App.Scopes.Select(scope => (JsonNode)scope)]));

    public static RestReply AppInfo(RestRequest request) => RestReply.Ok(new JsonObject
    {
        ["ID"] = 1,
        ["CODE"] = request.App.Code,
        ["VERSION"] = request.App.Version,
        ["STATUS"] = "L",
        ["INSTALLED"] = request.App.InstallFinished,
        ["PAYMENT_EXPIRED"] = "N",
        ["DAYS"] = null,
        ["LANGUAGE_ID"] = request.User.Language,
        ["LICENSE"] = "en_pro100",
        ["LICENSE_TYPE"] = "pro100",
        ["LICENSE_FAMILY"] = "pro",
    });

    private static JsonObject ToJson(SimUser user) => new()
    {
        ["ID"] = user.Id.ToString(CultureInfo.InvariantCulture),
        ["ACTIVE"] = user.Active,
        ["NAME"] = user.FirstName,
        ["LAST_NAME"] = user.LastName,
        ["USER_TYPE"] = "employee",
    };
}
