namespace Bitrix24Placements.PortalSimulator;

/// <summary>The placements this portal knows: families of codes, each with the permission that it needs.</summary>
internal static class Catalogue
{
    public const string Link = "REST_APP_URI";
    public const string Worker = "PAGE_BACKGROUND_WORKER";
    public const string Default = "DEFAULT";

    // New codes come with every release of the vendor's: what begins like one of these is taken for one.
    private static readonly (string Prefix, string Scope)[] Families =
    [
        (Link, "placement"), (Worker, "placement"), ("LEFT_MENU", "placement"), ("SETTING_CONNECTOR", "placement"),
        ("CRM_", "crm"), ("CALL_", "crm"), ("TASK_", "task"), ("USER_PROFILE_", "user"), ("TELEPHONY_", "telephony"),
        ("SONET_GROUP_", "sonet_group"), ("IM_", "im"), ("CALENDAR_", "calendar"), ("LANDING_", "landing"),
        ("DOCUMENTGENERATOR_", "documentgenerator"),
    ];

    private static readonly string[] Entities = ["LEAD", "DEAL", "CONTACT", "COMPANY", "QUOTE", "SMART_INVOICE"];

    private static readonly string[] EntityPlaces = ["DETAIL_TAB", "DETAIL_TOOLBAR", "DETAIL_ACTIVITY", "LIST_MENU", "LIST_TOOLBAR"];

    /// <summary>The best known, as <c>placement.list</c> names them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Link, Worker, "LEFT_MENU", .. Entities.SelectMany(entity => EntityPlaces.Select(place => $"CRM_{entity}_{place}")),
        "CRM_ANALYTICS_MENU", "CRM_FUNNELS_TOOLBAR", "CALL_CARD", "CALL_LIST", "TASK_VIEW_TAB", "TASK_VIEW_SIDEBAR",
        "TASK_LIST_CONTEXT_MENU", "USER_PROFILE_MENU", "USER_PROFILE_TOOLBAR", "SONET_GROUP_DETAIL_TAB", "IM_NAVIGATION",
        "IM_CONTEXT_MENU", "CALENDAR_GRIDVIEW",
    ];

    /// <summary>Null: there is no such placement.</summary>
    public static string? Scope(string placement) =>
        Array.Find(Families, family => placement.StartsWith(family.Prefix, StringComparison.Ordinal)).Scope;

    /// <summary>The universal placements take a single registration of one app.</summary>
    public static bool IsUniversal(string placement) => placement is Link or Worker;
}
