using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Work;

/// <summary>Kinds of work that outlive a process.</summary>
internal static class WorkKind
{
    public const string Reconcile = PortalWork.Reconcile;
    public const string Uninstall = PortalWork.Uninstall;
    public const string Address = "address";

    /// <summary>Are the placements still there? One for every portal, always waiting for its next time.</summary>
    public const string Look = "look";

    /// <summary>A portal's inbox has events.</summary>
    public const string Events = PortalWork.Events;

    /// <summary>Followed by a part of the token's hash: one portal can have told of several installations.</summary>
    public const string Install = "install:";
}

/// <summary>What comes before what, however long that has been waiting.</summary>
internal enum WorkPriority
{
    /// <summary>Somebody has asked for it, and it is tried for the first time.</summary>
    Asked = 0,

    /// <summary>It has been tried in vain, or goes on after a pause.</summary>
    Again = 1,

    /// <summary>Nobody has asked for it: there can be as much of it as there are portals.</summary>
    Unasked = 2,
}
