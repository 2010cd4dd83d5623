namespace Bitrix24Placements.Rest;

internal enum TokenVerdict
{
    /// <summary>The token is this app's, and <see cref="TokenConfirmation.Info"/> says whose.</summary>
    Confirmed,

    /// <summary><c>expired_token</c>.</summary>
    Expired,

    /// <summary><c>invalid_token</c>: no such token, or the app is gone from the portal.</summary>
    Invalid,

    /// <summary>A good token of an app that is none of this service's: <see cref="TokenConfirmation.ClientId"/> names it.</summary>
    UnknownApp,

    /// <summary>Any other refusal, or an answer about an address that may not be used.</summary>
    Refused,

    /// <summary>Silence, a server error or nonsense: nothing is known.</summary>
    NoAnswer,

    /// <summary>Too many others are being asked about.</summary>
    NotAsked,
}

/// <summary>What the OAuth server knows of an access token: the one trusted answer to "which portal, which user".</summary>
/// <param name="Id">The portal, and the app that the token belongs to.</param>
/// <param name="ClientEndpoint">The portal's REST base, scheme included, with a trailing slash.</param>
/// <param name="Server">The OAuth server that answered.</param>
internal sealed record TokenInfo(PortalId Id, Uri ClientEndpoint, Uri Server, long UserId, DateTimeOffset ExpiresAt);

/// <param name="ClientId">Of the app that the token belongs to, whether or not it is one of this service's.</param>
internal readonly record struct TokenConfirmation(TokenVerdict Verdict, TokenInfo? Info = null, string? ClientId = null);

/// <summary>What a test of an app's keys has shown.</summary>
internal enum KeysVerdict
{
    Right,
    Wrong,

    /// <summary>The server did not answer, or with something that says nothing of the keys.</summary>
    NotKnown,
}

/// <summary>A refreshed pair. Whoever gets it has to store it before using it: the old refresh token is void from now on.</summary>
/// <param name="ByPreviousSecret">Bitrix24 does not know the app's new secret yet.</param>
internal sealed record RefreshedTokens(
    Secret Access, Secret Refresh, DateTimeOffset ExpiresAt, string MemberId, bool ByPreviousSecret = false);
