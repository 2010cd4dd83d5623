namespace Bitrix24Placements.PortalSimulator;

/// <summary>The placements this portal knows.</summary>
internal static class Catalogue
{
    public const string Link = "REST_APP_URI";
    public const string Worker = "PAGE_BACKGROUND_WORKER";
    public const string Default = "DEFAULT";

    private static readonly string[] Others =
        ["CRM_DEAL_DETAIL_TAB", "CRM_LEAD_DETAIL_TAB", "CRM_DEAL_LIST_MENU", "LEFT_MENU", "TASK_VIEW_TAB", "USER_PROFILE_MENU"];

    public static IReadOnlyList<string> All { get; } = [Link, Worker, .. Others];

    /// <summary>The universal placements take a single registration of one app.</summary>
    public static bool IsUniversal(string placement) => placement is Link or Worker;
}
