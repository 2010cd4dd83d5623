using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>Posts of the feed that carry links to the app, in the forms that people write.</summary>
internal static class DeepLinkPosts
{
    public static JsonArray Of(SimPortal portal)
    {
        var code = portal.App.Code;
        return
        [
            Post(1, portal.User(2), "The contract is ready for signature:", "Open document 42",
                $"/marketplace/view/{code}/?params[docId]=42"),
            Post(2, portal.User(1), "Deals that need a decision this week:", "Show the selection",
                $"/marketplace/view/{code}/?params[filter][stage]=NEW&params[filter][tags][0]=urgent"
                + "&params[filter][tags][1]=%D0%9C%D0%BE%D1%81%D0%BA%D0%B2%D0%B0"),
            Post(3, portal.User(3), "Old notes still use the other form of the link:", "Open document 7",
                $"/marketplace/view/?APP={code}&params[docId]=7"),
            Post(4, portal.User(2), "And this is simply our app:", "Open the app", $"/marketplace/view/{code}/"),
        ];
    }

    private static JsonObject Post(int id, SimUser author, string text, string title, string href) => new JsonObject
    {
        ["id"] = id,
        ["authorId"] = author.Id,
        ["author"] = author.Name,
        ["text"] = text,
        ["links"] = new JsonArray(new JsonObject { ["title"] = title, ["href"] = href }),
    };
}
