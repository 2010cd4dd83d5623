namespace Bitrix24Placements.Portals;

internal enum PortalState
{
    Uninstalled = 0,
    Installed = 1,

    /// <summary>Uninstalled by a notice that nobody could confirm, as the tokens were dead or their refresh was cut off: an
    /// administrator's page restores it, or what that refresh has brought.</summary>
    Suspended = 2,
}

internal enum TokenState
{
    None = 0,
    Good = 1,

    /// <summary>The last refresh brought no answer or a refusal that may pass.</summary>
    Failing = 2,

    /// <summary><c>invalid_grant</c>, or not decryptable: an administrator's page brings new ones.</summary>
    Dead = 3,
}

internal sealed record Portal
{
    public required PortalId Id { get; init; }

    /// <summary>REST base as the OAuth server told it, e.g. <c>https://portal.bitrix24.com/rest/</c>.</summary>
    public required Uri ClientEndpoint { get; init; }

    public required Uri OAuthServer { get; init; }

    public required PortalState State { get; init; }

    /// <summary>Another after every uninstallation. Sessions are bound to it.</summary>
    public required long Epoch { get; init; }

    public long UserId { get; init; }

    /// <summary>False with a reserve that is no administrator's: it binds no placements.</summary>
    public bool IsAdministrator { get; init; } = true;

    public PortalTokens? Tokens { get; init; }

    public TokenState TokenState { get; init; }

    /// <summary>Grows with every change; what was decided about older ones is void.</summary>
    public long TokensVersion { get; init; }

    /// <summary>Begun by somebody who has not told its end: he may hold the only valid tokens.</summary>
    public bool HasUnfinishedRefresh { get; init; }

    /// <summary>His lease has not run out: he may still tell it.</summary>
    public bool IsRefreshing { get; init; }

    public PortalReserve? Reserve { get; init; }

    /// <summary>Null where the portal has never sent one.</summary>
    public string? ApplicationTokenHash { get; init; }

    /// <summary>Last part of the worker's <c>errorHandlerUrl</c>: unguessable and stable.</summary>
    public required Secret RemovalKey { get; init; }

    /// <summary>Empty: never reconciled with success.</summary>
    public string Declaration { get; init; } = "";

    public string? Placements { get; init; }

    /// <summary>When its installation, or the last update, was told.</summary>
    public DateTimeOffset ToldAt { get; init; }

    public DateTimeOffset ReconciledAt { get; init; }

    /// <summary>When an administrator's page last had the placements looked at.</summary>
    public DateTimeOffset CheckedAt { get; init; }

    /// <summary>How often in succession Bitrix24 has removed the worker.</summary>
    public int Removals { get; init; }

    public DateTimeOffset RemovedAt { get; init; }
}
