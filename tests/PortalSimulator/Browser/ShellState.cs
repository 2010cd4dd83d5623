using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>Everything the portal's page shows about its portal.</summary>
internal static class ShellState
{
    public static JsonObject Of(SimPortal portal) => new()
    {
        ["portal"] = new JsonObject
        {
            ["memberId"] = portal.MemberId,
            ["domain"] = portal.Domain,
            ["url"] = portal.Url,
            ["name"] = portal.Name,
        },
        ["users"] = Array(portal.Users.Where(user => user.Active), user => new JsonObject
        {
            ["id"] = user.Id,
            ["name"] = user.Name,
            ["admin"] = user.Admin,
            ["lang"] = user.Language,
        }),
        ["languages"] = new JsonArray("en", "ru", "de", "la", "br"),
        ["app"] = App(portal.App),
        ["placements"] = Array(portal.Placements, placement => new JsonObject
        {
            ["clientId"] = placement.ClientId,
            ["placement"] = placement.Placement,
            ["handler"] = placement.Handler,
            ["userId"] = placement.UserId,
            ["options"] = placement.Options.DeepClone(),
            ["title"] = placement.Title,
            ["description"] = placement.Description,
            ["groupName"] = placement.GroupName,
            ["shown"] = portal.FindApp(placement.ClientId) is { Speaks: true },
            ["langAll"] = placement.LangAll.DeepClone(),
        }),
        ["events"] = Array(portal.EventHandlers, bound => new JsonObject { ["event"] = bound.Event, ["handler"] = bound.Handler }),
        ["records"] = new JsonObject(portal.Records.Entities.Select(entity =>
            KeyValuePair.Create(entity.Key, (JsonNode?)Array(entity.Value.All, row => row)))),
        ["tasks"] = Array(portal.Records.Tasks.All, task => task),
        ["levers"] = Levers(portal),
        ["posts"] = DeepLinkPosts.Of(portal),
    };

    private static JsonObject App(SimApp app) => new()
    {
        ["clientId"] = app.ClientId,
        ["code"] = app.Code,
        ["wizardOpened"] = app.WizardOpened,
        ["installed"] = app.Installed,
        ["installFinished"] = app.InstallFinished,
        ["apiOnly"] = app.ApiOnly,
        ["version"] = app.Version,
        ["scopes"] = Array(app.Scopes, scope => scope),
        ["serviceUrl"] = app.Portal.Bitrix.ServiceUrl,
        ["installUrl"] = app.InstallUrl,
        ["appUrl"] = app.AppUrl,
    };

    private static JsonObject Levers(SimPortal portal) => new()
    {
        ["oauthBroken"] = portal.Bitrix.Faults.Has(PortalSimulator.Levers.AllOfOAuth),
        ["queryLimit"] = portal.Bitrix.Faults.Has(PortalSimulator.Levers.AllOfRest),
        ["vendorScriptDelayMs"] = (long)portal.Quirks.VendorScriptDelay.TotalMilliseconds,
        ["handlerDelayMs"] = (long)portal.Quirks.HandlerDelay.TotalMilliseconds,
        ["slowLoads"] = portal.App.SlowLoads.Count,
        ["oldPortal"] = portal.Quirks.OldPortal,
    };

    private static JsonArray Array<T>(IEnumerable<T> items, Func<T, JsonNode?> toJson) => [.. items.Select(toJson)];
}
