namespace Bitrix24Placements.Portals;

internal static class WorkKind
{
    public const string Reconcile = "reconcile";
    public const string Uninstall = "uninstall";
    public const string Address = "address";

    /// <summary>One for every portal, always waiting for its next time.</summary>
    public const string Look = "look";

    /// <summary>Outlives an uninstallation: what was accepted before it is still handled.</summary>
    public const string Events = "events";

    /// <summary>Followed by a part of the token's hash: one portal can have told of several installations.</summary>
    public const string Install = "install:";
}

/// <summary>However long the other has been waiting.</summary>
internal enum WorkPriority
{
    /// <summary>Somebody has asked for it, and it is tried for the first time.</summary>
    Asked = 0,

    /// <summary>It has been tried in vain, or goes on after a pause.</summary>
    Again = 1,

    /// <summary>As much of it as there are portals.</summary>
    Unasked = 2,
}
