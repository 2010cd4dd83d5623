namespace Bitrix24Placements.Rest;

/// <summary>The code decides, never the HTTP status: the same code comes with 200 or 400 by version.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/common/system-errors.html</remarks>
internal static class RestErrors
{
    public const string ExpiredToken = "expired_token";
    public const string QueryLimit = "QUERY_LIMIT_EXCEEDED";
    public const string AccessDenied = "ACCESS_DENIED";
    public const string InvalidGrant = "invalid_grant";

    /// <summary>Of the app's keys, never of a portal or its tokens.</summary>
    public const string InvalidClient = "invalid_client";

    public const string OperationTimeLimit = "OPERATION_TIME_LIMIT";

    /// <summary>Perhaps another call has refreshed meanwhile.</summary>
    public static bool IsInvalidToken(string code) => code is "NO_AUTH_FOUND" or "invalid_token";

    /// <summary>The same call may succeed later.</summary>
    public static bool IsServerFault(string code) => code is "INTERNAL_SERVER_ERROR" or "ERROR_UNEXPECTED_ANSWER";

    public static bool IsPassing(string code) => IsServerFault(code) || code is QueryLimit or OperationTimeLimit or "OVERLOAD_LIMIT"
        // RFC 6749 and RFC 8628.
        or "temporarily_unavailable" or "server_error" or "slow_down";

    /// <summary>A text, or in REST 3.0 an object with a code and a message.</summary>
    public static string? CodeIn(JsonElement answer) =>
        answer.Text("error") is { Length: > 0 } code ? code
        : answer.Member("error") is { ValueKind: JsonValueKind.Object } error ? error.Text("code") ?? "unknownError"
        : null;

    /// <summary>What a foreign server sends is text of any length and content.</summary>
    public static string Clean(string code) =>
        new([.. code.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? c : '?')]);

    public static string CleanText(string text) => new([.. text.Take(300).Select(c => char.IsControl(c) ? ' ' : c)]);

    /// <summary>The known ones, so that a foreign server cannot make as many labels as it likes.</summary>
    public static string Label(string? code) => code switch
    {
        null or "ok" => "ok",
        ExpiredToken or InvalidGrant or InvalidClient or AccessDenied or "insufficient_scope" or "user_access_error"
            or "WRONG_AUTH_TYPE" or "INVALID_CREDENTIALS" or "PORTAL_DELETED" or "PAYMENT_REQUIRED" or "WRONG_CLIENT"
            or "ERROR_PLACEMENT_MAX_COUNT" or "ERROR_PLACEMENT_NOT_FOUND" or "ERROR_CORE" or "ERROR_ARGUMENT"
            or "EMPTY_ERROR_HANDLER_URL" or "ERROR_METHOD_NOT_FOUND" or "bitrix24Unavailable" or "notConfigured" or "tooManyCalls" => code,
        _ => IsPassing(code) || IsInvalidToken(code) ? code : "other",
    };
}
