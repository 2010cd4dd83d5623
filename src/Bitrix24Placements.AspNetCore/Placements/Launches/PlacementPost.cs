namespace Bitrix24Placements.Placements;

/// <summary>What Bitrix24 posts when a placement is opened; every member is a claim.</summary>
internal sealed record PlacementPost
{
    /// <summary><c>DEFAULT</c> for the app's own page and the installation.</summary>
    public required string Placement { get; init; }

    public required string MemberId { get; init; }

    public required string Domain { get; init; }

    /// <summary><c>https</c> or <c>http</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary><c>LANG</c>: <c>en</c>, <c>de</c>, <c>la</c> (Spanish), <c>br</c> (Portuguese), …</summary>
    public required string Language { get; init; }

    /// <summary><c>APP_SID</c>: new on every render.</summary>
    public required string ApplicationSid { get; init; }

    /// <summary><c>status</c>: <c>L</c> local, <c>F</c> free, <c>D</c> demo, <c>T</c> trial, <c>P</c> paid, <c>S</c> subscription, or one
    /// to come.</summary>
    public string? ApplicationStatus { get; init; }

    /// <summary><c>AUTH_ID</c>; empty for the worker, which acts for nobody.</summary>
    public Secret AccessToken { get; init; }

    public Secret RefreshToken { get; init; }

    /// <summary><c>AUTH_EXPIRES</c>, in seconds from now; the OAuth server's word counts.</summary>
    public int? AccessExpires { get; init; }

    public string? ServerEndpoint { get; init; }

    public Secret ApplicationToken { get; init; }

    /// <summary><c>PLACEMENT_OPTIONS</c>: a JSON object that has been looked through.</summary>
    public required byte[] Options { get; init; }

    /// <summary>What of the query string is not Bitrix24's.</summary>
    public required IReadOnlyDictionary<string, string> HandlerQuery { get; init; }

    public string Origin => Protocol + "://" + Domain;
}
