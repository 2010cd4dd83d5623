namespace Bitrix24Placements.PortalSimulator;

/// <summary>What a simulated Bitrix24 starts with.</summary>
public sealed record Bitrix24Options
{
    /// <summary>How many there are at first; <see cref="Bitrix24.AddPortalAsync(CancellationToken)"/> adds more.</summary>
    public int Portals { get; init; } = 1;

    /// <summary>The clock of tokens, limits and delays.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The app every portal has: one published app, or the same local one, as a service has one pair of keys.</summary>
    public string ClientId { get; init; } = "local.66ba434d853c87.18550109";

    /// <summary>Made up unless given.</summary>
    public string ClientSecret { get; init; } = Secrets.New(50);

    /// <summary>The permissions ticked in the app's form. Methods and placements of others are refused.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = ["placement", "pull", "user_brief", "user", "crm", "task"];

    /// <summary>An app without pages: announced by ONAPPINSTALL, no wizard.</summary>
    public bool ApiOnly { get; init; }

    /// <summary>Whether portals start with the app's form saved. Its installation is not finished by that.</summary>
    public bool Installed { get; init; } = true;

    /// <summary>Whether they start with the installation finished, too, though nobody has told the service.</summary>
    public bool InstallFinished { get; init; }

    /// <summary>2 REST calls a second after a burst of 50, per portal and source address.</summary>
    public bool RateLimit { get; init; }

    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Some portals let the old access token die with the refresh, others keep it until it expires.</summary>
    public bool RefreshRevokesAccessToken { get; set; }

    /// <summary>Where the service listens; may be set later, its start needs the simulator's addresses first.</summary>
    public string? ServiceUrl { get; init; }

    /// <summary>What the lever "signal" authenticates with at the service.</summary>
    public string? SignalsApiKey { get; init; }

    /// <summary>Port of the first portal; 0 takes a free one.</summary>
    public int PortalPort { get; init; }

    /// <summary>0 takes a free one.</summary>
    public int OAuthPort { get; init; }

    /// <summary>A file to serve in place of the simulator's own BX24.js: the vendor's, say.</summary>
    public string? ScriptFile { get; init; }

    /// <summary>Likewise for the Push &amp; Pull client.</summary>
    public string? PullScriptFile { get; init; }
}
