namespace Bitrix24Placements.PortalSimulator;

/// <summary>An app as one portal knows it.</summary>
public sealed class SimApp
{
    private readonly SimPortal _portal;

    internal SimApp(SimPortal portal, string clientId, string clientSecret, IReadOnlyList<string> scopes)
    {
        _portal = portal;
        (ClientId, ClientSecret, Scopes) = (clientId, clientSecret, scopes);
        portal.Bitrix.Secrets.Learn(clientSecret);
        ApplicationToken = portal.Bitrix.Secrets.NewKnown(32);
        SlowLoads = new SlowLoadCounter(portal.Bitrix.Time);
    }

    public SimPortal Portal => _portal;

    public string ClientId { get; }

    /// <summary>Changed by <see cref="Bitrix24.RotateSecret"/>.</summary>
    public string ClientSecret { get; internal set; }

    /// <summary>What stands in deep links: the client_id of a local app, or the catalogue code of a published one.</summary>
    public string Code
    {
        get => field ?? ClientId;
        set;
    }

    /// <summary>Another after each installation and update.</summary>
    public string ApplicationToken { get; private set; }

    /// <summary>Its permissions. Methods and placements of others are refused.</summary>
    public IReadOnlyList<string> Scopes { get; set; }

    /// <summary>Without pages: announced by ONAPPINSTALL, no wizard.</summary>
    public bool ApiOnly { get; set; }

    /// <summary>Whether its form is saved. Tokens are valid from then on.</summary>
    public bool Installed { get; internal set; }

    /// <summary>False between the saved form and <c>BX24.installFinish()</c>: nobody sees a widget until then.</summary>
    public bool InstallFinished { get; internal set; }

    /// <summary>Grows with every update.</summary>
    public int Version { get; internal set; } = 1;

    /// <summary>Of the employee that the portal has made for this app, once it has (ONAPPUSERREADY).</summary>
    public int? SystemUserId { get; internal set; }

    /// <summary>Path for initial installation; <c>{service}/install</c> unless set.</summary>
    public string InstallUrl
    {
        get => field ?? $"{_portal.Bitrix.ServiceUrl}/install";
        set;
    }

    /// <summary>The app's own page; <c>{service}/</c> unless set.</summary>
    public string AppUrl
    {
        get => field ?? $"{_portal.Bitrix.ServiceUrl}/";
        set;
    }

    /// <summary>Grows with every removal: tokens of an earlier installation never live again.</summary>
    internal int Installation { get; private set; }

    /// <summary>Whether somebody has opened the wizard that is to call installFinish.</summary>
    internal bool WizardOpened { get; set; }

    internal SlowLoadCounter SlowLoads { get; }

    /// <summary>A portal shows and tells nothing of an app whose installation is not finished.</summary>
    internal bool Speaks => Installed && InstallFinished;

    internal string ScopeText => string.Join(',', Scopes);

    internal void Save(bool apiOnly)
    {
        ApplicationToken = _portal.Bitrix.Secrets.NewKnown(32);
        ApiOnly = apiOnly;
        InstallFinished = apiOnly;
        Installed = true;
        WizardOpened = false;
    }

    internal void Update()
    {
        ApplicationToken = _portal.Bitrix.Secrets.NewKnown(32);
        Version++;
    }

    internal void Remove()
    {
        Installed = InstallFinished = WizardOpened = false;
        Installation++;
    }
}
