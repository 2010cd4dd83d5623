namespace Bitrix24Placements.Rest;

/// <param name="MovedTo">Where a renamed portal redirects to; nothing has vouched for it yet.</param>
internal readonly record struct Attempt(JsonElement Result, RestError? Error, Uri? MovedTo = null, DateTimeOffset? ResetAt = null)
{
    public string Outcome => MovedTo is not null ? "moved" : Error?.Code ?? "ok";
}

/// <summary>One POST, and what its answer means.</summary>
internal sealed class PortalTransport(BitrixHttp http, RestMetrics metrics, CallLog log, TimeProvider time)
{
    /// <summary>A call may take a minute on the portal's side.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(65);

    public async Task<Attempt> SendAsync(UserAccess caller, RestCall call, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var body = call.Parameters is null ? [] : (JsonObject)call.Parameters.DeepClone();
        body["auth"] = caller.AccessToken.Reveal();
        var bytes = Encoding.UTF8.GetBytes(body.ToJsonString());
        var (outcome, received) = ("canceled", 0);
        try
        {
            using var content = new ByteArrayContent(bytes) { Headers = { ContentType = new("application/json", "utf-8") } };
            var url = new Uri(caller.Endpoint, call.Method);
            var answer = await http.PostAsync(
                BitrixHttp.PortalClient, url, content, call.MaxAnswerBytes, timeout < AnswerTimeout ? timeout : AnswerTimeout,
                cancellationToken);
            var attempt = answer.Ok ? Read(answer.Value, url, call.Method) : new(default, answer.Error);
            (outcome, received) = (attempt.Outcome, answer.Value.Bytes);
            return attempt;
        }
        finally
        {
            var took = time.GetElapsedTime(started);
            metrics.RestCall(call.Method, outcome is "moved" or "canceled" ? outcome : RestErrors.Label(outcome), took);
            log.Write(caller.Portal, call, outcome, took, bytes.Length, received);
        }
    }

    private static Attempt Read(HttpAnswer answer, Uri url, string method)
    {
        try
        {
            return Judge(answer, url, method);
        }
        catch (Exception e) when (e is InvalidOperationException or UriFormatException)
        {
            // Names that are no text, an address without a host.
            return new(default, RestError.Unknown($"The portal answered with status {(int)answer.Status} and what cannot be read."));
        }
    }

    private static Attempt Judge(HttpAnswer answer, Uri url, string method)
    {
        if ((int)answer.Status is 301 or 302 or 307 or 308 && answer.Location is { } location
            && Uri.TryCreate(url, location, out var target) && target.Scheme is "http" or "https")
            return new(default, null, RestBase(target, method));
        if (RestErrors.CodeIn(answer.Body) is { } code)
            return Refused(code, answer.Body);
        var result = answer.Body.Member("result");
        if (RestErrors.CodeIn(result) is { } inner && IsError(result))
            return Refused(inner, result);
        return new(result, result.ValueKind != JsonValueKind.Undefined ? null
            : RestError.Unknown($"The portal answered with status {(int)answer.Status} and no REST result."));
    }

    /// <summary>EMPTY_ERROR_HANDLER_URL has been seen inside "result", with status 200; a method's own result has other members,
    /// too.</summary>
    private static bool IsError(JsonElement result) => result.Text("error_description") is not null
        || result.EnumerateObject().All(m => m.Name is "error" or "error_description" or "argument");

    private static Attempt Refused(string code, JsonElement body)
    {
        var clean = RestErrors.Clean(code);
        var kind = RestErrors.IsServerFault(code) ? RestErrorKind.OutcomeUnknown : RestErrorKind.Refused;
        var description = RestErrors.CleanText(body.Text("error_description") ?? body.Member("error").Text("message") ?? clean);
        var resetAt = body.Member("time").Instant("operating_reset_at") ?? body.Instant("operating_reset_at");
        return new(default, new(kind, clean, description), ResetAt: resetAt);
    }

    private static Uri RestBase(Uri target, string method)
    {
        var path = target.AbsolutePath;
        var at = path.LastIndexOf(method, StringComparison.Ordinal);
        return new(HostRules.Origin(target) + (at > 0 ? path[..at] : "/rest/"));
    }
}
