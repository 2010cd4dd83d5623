using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.Rest;

/// <summary>One attempt's outcome.</summary>
/// <param name="MovedTo">REST base at the address that a renamed portal redirects to; nothing has vouched for it yet.</param>
internal readonly record struct Attempt(JsonElement Result, RestError? Error, Uri? MovedTo = null, DateTimeOffset? ResetAt = null)
{
    public bool Carried => Error is null && MovedTo is null;
}

/// <summary>One POST of one method to one portal with one token, and what its answer means.</summary>
internal sealed class PortalTransport(BitrixHttp http, RestMetrics metrics, TimeProvider time)
{
    /// <summary>A call may take a minute on the portal's side.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(65);

    internal async Task<Attempt> SendAsync(Uri endpoint, RestCall call, Secret token, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var attempt = await SendUncountedAsync(endpoint, call, token, timeout < AnswerTimeout ? timeout : AnswerTimeout, cancellationToken);
        metrics.RestCall(call.Method, attempt.MovedTo is not null ? "moved" : RestErrors.Label(attempt.Error?.Code), time.GetElapsedTime(started));
        return attempt;
    }

    private async Task<Attempt> SendUncountedAsync(Uri endpoint, RestCall call, Secret token, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var body = call.Parameters is null ? [] : (JsonObject)call.Parameters.DeepClone();
        body["auth"] = token.Reveal();
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            var answer = await http.PostAsync(BitrixHttp.PortalClient, new Uri(endpoint, call.Method), content, timeout, cancellationToken);
            return Read(answer, endpoint, call.Method);
        }
        catch (BitrixTransportException e)
        {
            return new(default, e.Sent ? RestError.Unknown("The portal: " + e.Message + ".") : RestError.Unavailable("The portal: " + e.Message + "."));
        }
    }

    private static Attempt Read(HttpAnswer answer, Uri endpoint, string method)
    {
        if (answer.Status is HttpStatusCode.Redirect or HttpStatusCode.MovedPermanently or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect && answer.Location is { } location)
            return new(default, null, RestBase(new Uri(endpoint, location), method));
        if (answer.Body.Text("error") is { Length: > 0 } code)
            return Refused(code, answer.Body);
        var result = answer.Body.Member("result");
        if (result.Text("error") is { Length: > 0 } inner && IsError(result))
            return Refused(inner, result);
        if (!answer.IsJsonObject || result.ValueKind == JsonValueKind.Undefined)
            return new(default, RestError.Unknown($"The portal answered with status {(int)answer.Status} and no REST result."));
        return new(result, null);
    }

    /// <summary>EMPTY_ERROR_HANDLER_URL has been seen inside "result", with status 200. A method's own result may have a member of that name, but others too.</summary>
    private static bool IsError(JsonElement result) =>
        result.Text("error_description") is not null || result.EnumerateObject().All(static m => m.Name is "error" or "error_description" or "argument");

    private static Attempt Refused(string code, JsonElement body)
    {
        var clean = RestErrors.Clean(code);
        var kind = RestErrors.IsServerFault(code) ? RestErrorKind.OutcomeUnknown : RestErrorKind.Refused;
        return new(default, new(kind, clean, RestErrors.CleanText(body.Text("error_description") ?? clean)), null, body.Member("time").Instant("operating_reset_at") ?? body.Instant("operating_reset_at"));
    }

    private static Uri? RestBase(Uri target, string method)
    {
        var path = target.AbsolutePath;
        var at = path.LastIndexOf(method, StringComparison.Ordinal);
        var prefix = at > 0 ? path[..at] : "/rest/";
        return new Uri(target.GetLeftPart(UriPartial.Authority) + prefix);
    }
}
