namespace Bitrix24Placements.Rest;

/// <summary>Below <c>Bitrix24:PublicUrl</c>.</summary>
internal static class AppPaths
{
    public const string Placements = "/placements";
    public const string BackgroundWorker = Placements + "/page-background-worker";
    public const string Removed = BackgroundWorker + "/removed/";
    public const string Install = "/install";
    public const string Events = "/events";
    public const string Session = "/api/session";

    /// <summary>Bitrix24's limit for the address of a handler.</summary>
    public const int MaxHandlerLength = 255;
}
