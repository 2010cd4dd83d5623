using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

internal enum TokenVerdict
{
    Confirmed,

    Expired,

    /// <summary>No such token, or the app is gone from the portal.</summary>
    Invalid,

    /// <summary>Of no app of this service's.</summary>
    UnknownApp,

    /// <summary>Any other refusal, or an address that may not be used.</summary>
    Refused,

    /// <summary>Silence, a server error or nonsense.</summary>
    NoAnswer,

    /// <summary>Too many others are being asked about.</summary>
    NotAsked,
}

/// <summary>The one trusted answer to "which portal, which user".</summary>
/// <param name="ClientEndpoint">The portal's REST base, with a trailing slash.</param>
internal sealed record TokenInfo(PortalId Id, Uri ClientEndpoint, Uri Server, long UserId, DateTimeOffset ExpiresAt);

/// <param name="Info">Only of a confirmed one.</param>
/// <param name="Stranger">Of one of an unknown app: believed only as to who may have a place to wait.</param>
internal readonly record struct TokenConfirmation(
    TokenVerdict Verdict, TokenInfo? Info = null, string? ClientId = null, TokenInfo? Stranger = null);

internal enum KeysVerdict
{
    Right,
    Wrong,

    NotKnown,
}

/// <summary>Has to be stored before it is used: the old refresh token is void from now on.</summary>
/// <param name="ClientSecret">That the server has taken: while one is rotated, perhaps the previous one.</param>
internal sealed record RefreshedTokens(PortalTokens Tokens, string MemberId, Secret ClientSecret);
