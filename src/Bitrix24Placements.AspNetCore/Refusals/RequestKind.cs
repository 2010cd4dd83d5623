namespace Bitrix24Placements.Refusals;

/// <summary>Each has places and a budget of failures of its own: who takes all of one keeps nobody out of another.</summary>
internal enum RequestKind
{
    Worker,
    Person,

    /// <summary>A person whose token nobody has confirmed yet: who is known waits for none of these.</summary>
    UnconfirmedPerson,

    /// <summary>One who knows the portal's application_token.</summary>
    UnconfirmedUser,

    /// <summary>Waits for its portal, which may be anybody's.</summary>
    Installation,

    /// <summary>Of a confirmed one, while its portal is called.</summary>
    InstallationRun,
    Api,

    /// <summary>Of a backend, which is one address for many portals: counted to its key.</summary>
    Signal,
    Event,

    /// <summary>Also an event, and the one that is not to be lost: whoever knows the application_token can send many others.</summary>
    Uninstallation,

    /// <summary>Of whoever does not know the portal's application_token, and what brings tokens, which waits for its portal.</summary>
    UnconfirmedEvent,

    /// <summary>Waits for its portal.</summary>
    Doctor,
    Removal,
}
