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

    public static RestReply Current(RestRequest request) => RestReply.Ok(new JsonObject
    {
        ["ID"] = request.User.Id.ToString(CultureInfo.InvariantCulture),
        ["ACTIVE"] = true,
        ["NAME"] = request.User.FirstName,
        ["LAST_NAME"] = request.User.LastName,
        ["USER_TYPE"] = "employee",
    });

    public static RestReply Scope(RestRequest request) =>
        RestReply.Ok(new JsonArray([.. request.App.Scopes.Select(scope => (JsonNode)scope)]));

    public static RestReply AppInfo(RestRequest request) => RestReply.Ok(new JsonObject
    {
        ["ID"] = 1,
        ["CODE"] = request.App.ClientId,
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
}
