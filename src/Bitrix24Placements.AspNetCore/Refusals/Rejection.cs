namespace Bitrix24Placements.Refusals;

/// <summary>Why a request is not served: one value from where it is decided to where it is written.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">A stable word for scripts.</param>
/// <param name="Detail">A sentence for a person; nothing that the client sent.</param>
internal sealed record Rejection(int Status, string Code, string Detail)
{
    private static readonly IReadOnlyDictionary<string, string> NoErrors = System.Collections.Frozen.FrozenDictionary<string, string>.Empty;

    /// <summary>Wire names of offending fields, each with what is wrong with it.</summary>
    public IReadOnlyDictionary<string, string>? Errors { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Bitrix24's own code, where it refused.</summary>
    public string? Bitrix24Code { get; init; }

    /// <summary>Whether it counts against <c>Limits:UnverifiedPerMinute</c>.</summary>
    public bool IsFailedAttempt { get; init; }

    /// <param name="errors">By wire name; what is wrong with the request as a whole stands under the empty name.</param>
    public static Rejection Malformed(IReadOnlyDictionary<string, string> errors) =>
        errors.TryGetValue("", out var whole) ? Malformed(whole)
        : new(400, "malformedRequest", "The request lacks fields that Bitrix24 sends, or they are malformed.") { Errors = errors };

    /// <summary>No single field is to blame.</summary>
    public static Rejection Malformed(string detail) => new(400, "malformedRequest", detail) { Errors = NoErrors };

    public static readonly Rejection NotAForm = new(415, "unsupportedMediaType", "The body has to be application/x-www-form-urlencoded.");

    public static readonly Rejection TooLarge = new(413, "bodyTooLarge", "The body is larger than 64 KiB.");

    public static readonly Rejection NotInstalled =
        new(403, "portalNotInstalled", "This app is not installed on the portal. An administrator can install it from the portal's list of apps.") { IsFailedAttempt = true };

    public static readonly Rejection NotAllowed =
        new(403, "portalNotAllowed", "This portal is not among those that the service is configured to serve.") { IsFailedAttempt = true };

    public static readonly Rejection NotVerified =
        new(403, "notVerified", "Bitrix24 does not confirm this request. Reload the page to get a new token.") { IsFailedAttempt = true };

    public static readonly Rejection NotConfigured =
        new(503, "notConfigured", "The service does not know the app's client_id and client_secret yet (Bitrix24:ClientId, Bitrix24:ClientSecret).");

    public static readonly Rejection Unavailable =
        new(503, "bitrix24Unavailable", "Bitrix24 did not answer in time. Try again in a moment.") { RetryAfter = TimeSpan.FromSeconds(5) };

    public static readonly Rejection Overloaded =
        new(503, "overloaded", "The service has too much to do right now. Try again in a moment.") { RetryAfter = TimeSpan.FromSeconds(2) };

    public static readonly Rejection StoreUnavailable =
        new(503, "storeUnavailable", "The service's database did not answer. Try again in a moment.") { RetryAfter = TimeSpan.FromSeconds(5) };

    public static readonly Rejection TooManyAttempts =
        new(429, "tooManyAttempts", "Too many requests from this address could not be verified. Try again in a minute.") { RetryAfter = TimeSpan.FromMinutes(1) };

    public static Rejection Refused(string code, string detail) => new(502, "bitrix24Refused", detail) { Bitrix24Code = code };
}
