namespace Bitrix24Placements.Portals;

internal static class WorkKind
{
    public const string Reconcile = "reconcile";
    public const string Uninstall = "uninstall";
    public const string Address = "address";

    /// <summary>One for every portal, always waiting for its next time.</summary>
    public const string Look = "look";

    /// <summary>Outlives an uninstallation: what was accepted is handled.</summary>
    public const string Events = "events";

    /// <summary>Followed by a part of the token's hash: a portal can tell of several.</summary>
    public const string Install = "install:";
}

/// <summary>However long the other waits.</summary>
internal enum WorkPriority
{
    /// <summary>Somebody has asked for it, and it is tried for the first time.</summary>
    Asked = 0,

    /// <summary>Tried in vain, or going on after a pause.</summary>
    Again = 1,

    /// <summary>As much of it as there are portals.</summary>
    Unasked = 2,
}
