using System.Diagnostics.CodeAnalysis;

namespace Bitrix24Placements;

/// <summary>What went wrong, in the words that a caller can decide by.</summary>
public enum RestErrorKind
{
    /// <summary>Bitrix24 answered with an error code that repeating does not mend.</summary>
    Refused,

    /// <summary>No usable answer in time, and the call may or may not have been carried out.</summary>
    OutcomeUnknown,

    /// <summary>No usable answer, and the call was certainly not carried out.</summary>
    Unavailable,

    /// <summary>So many calls of the portal are waiting already that this one was not begun: <see cref="RestError.RetryAfter"/> says when
    /// it may be.</summary>
    TooMany,

    /// <summary>The service lacks <c>Bitrix24:ClientId</c> or <c>Bitrix24:ClientSecret</c>.</summary>
    NotConfigured,

    /// <summary>The portal has no usable tokens: an administrator has to open the app.</summary>
    NoTokens,

    /// <summary>The app is not installed on that portal.</summary>
    NotInstalled,
}

/// <param name="Kind">What a caller can do about it.</param>
/// <param name="Code">Bitrix24's code, such as <c>ACCESS_DENIED</c>, or ours in camel case, such as <c>bitrix24Unavailable</c>.</param>
/// <param name="Description">A sentence for a person; never a token or an address with a query.</param>
public sealed record RestError(RestErrorKind Kind, string Code, string Description)
{
    /// <summary>When asking again makes sense, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static RestError Unavailable(string description) => new(RestErrorKind.Unavailable, "bitrix24Unavailable", description);

    public static RestError Unknown(string description) => new(RestErrorKind.OutcomeUnknown, "bitrix24Unavailable", description);

    internal static RestError TooMany(TimeSpan retryAfter) =>
        new(RestErrorKind.TooMany, "tooManyCalls", "Too many calls of this portal are waiting for Bitrix24's limit of calls per second.")
        { RetryAfter = retryAfter };

    public static readonly RestError NotConfigured =
        new(RestErrorKind.NotConfigured, "notConfigured", "Bitrix24:ClientId and Bitrix24:ClientSecret are not configured.");

    public static readonly RestError NotInstalled =
        new(RestErrorKind.NotInstalled, "portalNotInstalled", "The app is not installed on this portal.");

    /// <summary>Calls go on with the tokens of an employee, who may not do this.</summary>
    public static readonly RestError NoAdministrator =
        new(RestErrorKind.NoTokens, "administratorNeeded",
            "This takes an administrator's tokens. An administrator of the portal has to open the app once.");

    public static readonly RestError NoTokens =
        new(RestErrorKind.NoTokens, "tokensDead",
            "The portal's tokens are no longer valid. An administrator of the portal has to open the app once.");
}

/// <summary>A value, or why there is none.</summary>
public readonly record struct RestResult<T>(T? Value, RestError? Error)
{
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Error))]
    public bool Ok => Error is null;

    public static implicit operator RestResult<T>(T value) => new(value, null);

    public static implicit operator RestResult<T>(RestError error) => new(default, error);
}
