namespace Bitrix24Placements.PortalSimulator;

/// <summary>Where portals differ by age and edition, and what a person can switch while looking.</summary>
public sealed class PortalQuirks
{
    /// <summary>Launches without SERVER_ENDPOINT, APPLICATION_TOKEN and APPLICATION_SCOPE.</summary>
    public bool OldPortal { get; set; }

    /// <summary>Launches without options carry <c>[]</c>; otherwise the field is absent.</summary>
    public bool EmptyOptionsAsArray { get; set; }

    /// <summary>HTTP status of refused placement and event calls: 400, or 200 on some versions.</summary>
    public int RefusalStatus { get; set; } = 400;

    /// <summary>EMPTY_ERROR_HANDLER_URL inside <c>result</c> instead of beside it.</summary>
    public bool EmptyErrorHandlerInResult { get; set; }

    /// <summary>Portal code counts personal workers and the general one together; the documentation counts them apart.</summary>
    public bool CountsPersonalWorkersTogether { get; set; }

    /// <summary>Notices of a removed worker have no <c>auth</c> block, as public portal code sends them.</summary>
    public bool RemovalNoticesWithoutAuth { get; set; }

    /// <summary>ONAPPUPDATE is never sent: an update wipes placements and handlers without a word.</summary>
    public bool SendsNoUpdates { get; set; }

    /// <summary>The portal makes a system user for an app once its installation is finished, and says so by ONAPPUSERREADY.</summary>
    public bool MakesSystemUsers { get; set; }

    /// <summary>How far its clock is off, by the Date of its REST answers.</summary>
    public TimeSpan ClockOff { get; set; }

    /// <summary>How long the vendor's browser libraries take.</summary>
    public TimeSpan VendorScriptDelay { get; set; }

    /// <summary>How long a frame that the shell opens waits before it is posted.</summary>
    public TimeSpan HandlerDelay { get; set; }

    internal void Reset()
    {
        OldPortal = EmptyOptionsAsArray = EmptyErrorHandlerInResult = CountsPersonalWorkersTogether = false;
        RemovalNoticesWithoutAuth = SendsNoUpdates = MakesSystemUsers = false;
        RefusalStatus = 400;
        VendorScriptDelay = HandlerDelay = TimeSpan.Zero;
    }
}
