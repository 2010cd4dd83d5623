using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Events;

/// <summary>Events that speak of the app itself.</summary>
internal static class AppEvent
{
    public const string Install = "ONAPPINSTALL";
    public const string Update = "ONAPPUPDATE";
    public const string Uninstall = "ONAPPUNINSTALL";
    public const string Test = "ONAPPTEST";
    public const string UserReady = "ONAPPUSERREADY";

    /// <summary>Those that need no application_token known here, because they bring tokens that the OAuth server can be asked
    /// about.</summary>
    public static bool BringsTokens(string name) => name is Install or Update or UserReady;
}

/// <summary>Where whoever keeps the installations hears of the events that speak of the app itself.</summary>
internal interface IAppEvents
{
    /// <summary>Events that bring tokens. They are sent once: what cannot be confirmed now is kept.</summary>
    /// <param name="context">Null where it has waited in the spool.</param>
    Task<Rejection?> TokensAsync(HttpContext? context, string name, WireForm form, CancellationToken cancellationToken);

    /// <summary>An uninstallation was told, and the application_token was right.</summary>
    /// <returns>Done when the first check is, or when that takes too long.</returns>
    Task UninstallAsync(KnownPortal portal, bool clean, CancellationToken cancellationToken);
}
