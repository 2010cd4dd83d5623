using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Events;

internal static class AppEvent
{
    public const string Install = "ONAPPINSTALL";
    public const string Update = "ONAPPUPDATE";
    public const string Uninstall = "ONAPPUNINSTALL";
    public const string Test = "ONAPPTEST";
    public const string UserReady = "ONAPPUSERREADY";

    /// <summary>The OAuth server can be asked about their tokens: no application_token is needed.</summary>
    public static bool BringsTokens(string name) => name is Install or Update or UserReady;

    /// <summary>What the service itself does something about.</summary>
    public static bool IsOwn(string name) => BringsTokens(name) || name == Uninstall;
}

/// <summary>Where whoever keeps the installations hears of them.</summary>
internal interface IAppEvents
{
    /// <summary>What cannot be confirmed now is kept.</summary>
    Task<Rejection?> TokensAsync(EventSource source, string name, WireForm form, CancellationToken cancellationToken);

    /// <summary>The application_token was right.</summary>
    /// <param name="othersFollow">From the spool, where this may be from, or another instance's: they are heard before it is carried
    /// out, for which nobody waits.</param>
    /// <returns>When the first check is done, or takes too long. False: that installation is gone already.</returns>
    Task<bool> UninstallAsync(KnownPortal portal, bool clean, bool othersFollow, CancellationToken cancellationToken);
}
