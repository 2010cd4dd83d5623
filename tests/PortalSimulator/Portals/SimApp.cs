namespace Bitrix24Placements.PortalSimulator;

/// <summary>An app as one portal knows it.</summary>
public sealed class SimApp
{
    private readonly SimPortal _portal;

    internal SimApp(SimPortal portal, string clientId, string clientSecret, IReadOnlyList<string> scopes)
    {
        _portal = portal;
        (ClientId, ClientSecret, Scopes) = (clientId, clientSecret, scopes);
        ApplicationToken = portal.Bitrix.Secrets.NewKnown(32);
    }

    public SimPortal Portal => _portal;

    public string ClientId { get; }

    public string ClientSecret { get; }

    public string ApplicationToken { get; private set; }

    public IReadOnlyList<string> Scopes { get; set; }

    public bool ApiOnly { get; set; }

    public bool Installed { get; internal set; }

    /// <summary>False between the saved form and <c>BX24.installFinish()</c>: nobody sees a widget until then.</summary>
    public bool InstallFinished { get; internal set; }

    public int Version { get; internal set; } = 1;

    public string InstallUrl
    {
        get => field ?? $"{_portal.Bitrix.ServiceUrl}/install";
        set;
    }

    public string AppUrl
    {
        get => field ?? $"{_portal.Bitrix.ServiceUrl}/";
        set;
    }

    /// <summary>Grows with every removal: tokens of an earlier installation never live again.</summary>
    internal int Installation { get; private set; }

    internal string ScopeText => string.Join(',', Scopes);

    internal void Remove()
    {
        Installed = InstallFinished = false;
        Installation++;
    }

    internal void NewApplicationToken() => ApplicationToken = _portal.Bitrix.Secrets.NewKnown(32);
}
