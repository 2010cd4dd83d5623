using System.Collections.Frozen;

namespace Bitrix24Placements.Refusals;

/// <summary>One value from where it is decided to where it is written.</summary>
/// <param name="Detail">Nothing that the client sent. Null: that of the code, in the user's language.</param>
internal sealed record Rejection(int Status, string Code, string? Detail = null)
{
    /// <summary>By wire name.</summary>
    public IReadOnlyDictionary<string, string>? Errors { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Bitrix24's own code, where it refused.</summary>
    public string? Bitrix24Code { get; init; }

    /// <summary>What exactly, for the developer who looks into it: whoever is refused is not told.</summary>
    public string? Reason { get; init; }

    public Rejection Because(string reason) => this with { Reason = reason };

    public string Explain(string detail) => $"{Code}: " + (Reason
        ?? (Errors is { Count: > 0 } errors ? string.Join("; ", errors.Select(e => $"{e.Key} {e.Value}")) : detail));

    /// <summary>Whether it counts against <c>Limits:UnverifiedPerMinute</c>.</summary>
    public bool IsFailedAttempt { get; init; }

    public static Rejection Malformed(IReadOnlyDictionary<string, string> errors) => new(400, "malformedRequest") { Errors = errors };

    public static Rejection Malformed(string field, string problem) => Malformed(new Dictionary<string, string> { [field] = problem });

    /// <summary>No single field is to blame.</summary>
    public static Rejection Malformed(string detail) =>
        new(400, "malformedRequest", detail) { Errors = FrozenDictionary<string, string>.Empty };

    public static readonly Rejection NotAForm = new(415, "unsupportedMediaType");

    public static readonly Rejection NotJson = new(415, "unsupportedMediaType", "The body has to be application/json.");

    public static readonly Rejection TooLarge = new(413, "bodyTooLarge");

    public static readonly Rejection TooSlow = new(408, "requestTimeout");

    public static readonly Rejection Unauthorized = new(401, "unauthorized") { IsFailedAttempt = true };

    public static readonly Rejection NotInstalled = new(403, "portalNotInstalled") { IsFailedAttempt = true };

    public static readonly Rejection NotAllowed = new(403, "portalNotAllowed") { IsFailedAttempt = true };

    public static readonly Rejection NotVerified = new(403, "notVerified") { IsFailedAttempt = true };

    public static readonly Rejection NotConfigured = new(503, "notConfigured");

    public static readonly Rejection Unavailable = new(503, "bitrix24Unavailable") { RetryAfter = TimeSpan.FromSeconds(5) };

    public static readonly Rejection Overloaded = new(503, "overloaded") { RetryAfter = TimeSpan.FromSeconds(2) };

    public static readonly Rejection StoreUnavailable = new(503, "storeUnavailable") { RetryAfter = TimeSpan.FromSeconds(5) };

    public static readonly Rejection TooManyAttempts = new(429, "tooManyAttempts") { RetryAfter = TimeSpan.FromMinutes(1) };

    public static Rejection Refused(string code, string detail) => new(502, "bitrix24Refused", detail) { Bitrix24Code = code };
}
