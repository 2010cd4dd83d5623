namespace Bitrix24Placements.Portals;

internal enum PortalState
{
    Uninstalled = 0,
    Installed = 1,

    /// <summary>An uninstallation was told while the stored tokens were dead, so that nobody could confirm it: an administrator's
    /// page restores the portal.</summary>
    Suspended = 2,
}

internal enum TokenState
{
    None = 0,
    Good = 1,

    /// <summary>The last refresh brought no answer or a refusal that may pass.</summary>
    Failing = 2,

    /// <summary><c>invalid_grant</c>, or not decryptable: only an administrator's page brings new ones.</summary>
    Dead = 3,
}

/// <summary>A portal as it is stored.</summary>
internal sealed record Portal
{
    public required PortalId Id { get; init; }

    /// <summary>REST base as the OAuth server told it, e.g. <c>https://portal.bitrix24.com/rest/</c>.</summary>
    public required Uri ClientEndpoint { get; init; }

    /// <summary>Origin of the portal's OAuth server.</summary>
    public required Uri OAuthServer { get; init; }

    public required PortalState State { get; init; }

    /// <summary>Which installation this is: another one after every uninstallation. Sessions are bound to it.</summary>
    public required long Epoch { get; init; }

    /// <summary>Whose tokens they are.</summary>
    public long UserId { get; init; }

    /// <summary>False where calls go on with a reserve that is no administrator's: it binds no placements.</summary>
    public bool IsAdministrator { get; init; } = true;

    public PortalTokens? Tokens { get; init; }

    public TokenState TokenState { get; init; }

    /// <summary>Grows with every change of the tokens; what was decided about older ones is void.</summary>
    public long TokensVersion { get; init; }

    /// <summary>When the refresh token was issued.</summary>
    public DateTimeOffset RenewedAt { get; init; }

    public PortalReserve? Reserve { get; init; }

    /// <summary>SHA-256 of the application_token in upper-case hexadecimal; null where the portal has never sent one.</summary>
    public string? ApplicationTokenHash { get; init; }

    /// <summary>Last part of the worker's <c>errorHandlerUrl</c>: unguessable and stable.</summary>
    public required Secret RemovalKey { get; init; }

    /// <summary>For which declaration of placements the portal was last reconciled; empty: never with success.</summary>
    public string Declaration { get; init; } = "";

    /// <summary>Outcome of the last reconciliation as JSON.</summary>
    public string? Placements { get; init; }

    public DateTimeOffset ReconciledAt { get; init; }

    /// <summary>When an administrator's page last had the placements looked at.</summary>
    public DateTimeOffset CheckedAt { get; init; }

    /// <summary>How often in succession Bitrix24 has removed the worker.</summary>
    public int Removals { get; init; }

    public DateTimeOffset RemovedAt { get; init; }
}
