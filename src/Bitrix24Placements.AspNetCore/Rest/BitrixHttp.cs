using System.Net;
using Flurl;
using Flurl.Http;

namespace Bitrix24Placements.Rest;

/// <summary>A body that is not JSON is <c>default</c>.</summary>
internal readonly record struct HttpAnswer(HttpStatusCode Status, JsonElement Body, int Bytes, Uri? Location);

/// <summary>The only file that knows Flurl. No redirect is followed, and no exception of a library's let through: they name whole URLs, and
/// a URL can hold a token.</summary>
internal sealed class BitrixHttp(IHttpClientFactory clients, AnswerReader answers)
{
    public const string PortalClient = "bitrix24-portal";
    public const string OAuthClient = "bitrix24-oauth";

    public Task<RestResult<HttpAnswer>> PostAsync(
        string client, Uri url, HttpContent content, int maxAnswerBytes, TimeSpan timeout, CancellationToken cancellationToken) =>
        SendAsync(client, HttpMethod.Post, new Url(url.AbsoluteUri), content, maxAnswerBytes, timeout, cancellationToken);

    /// <summary>For <c>app.info</c>, which the OAuth servers document with the token in the query.</summary>
    public Task<RestResult<HttpAnswer>> GetWithTokenAsync(Uri url, Secret token, TimeSpan timeout, CancellationToken cancellationToken) =>
        SendAsync(
            OAuthClient, HttpMethod.Get, new Url(url.AbsoluteUri).SetQueryParam("auth", token.Reveal()), null,
            AnswerReader.SmallBytes, timeout, cancellationToken);

    private async Task<RestResult<HttpAnswer>> SendAsync(
        string client, HttpMethod method, Url url, HttpContent? content, int maxAnswerBytes, TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            using var http = clients.CreateClient(client);
            using var flurl = new FlurlClient(http);
            using var response = await new FlurlRequest(url).WithClient(flurl).AllowAnyHttpStatus()
                .SendAsync(method, content, deadline.Token, HttpCompletionOption.ResponseHeadersRead);
            var (body, bytes) = await answers.ReadAsync(response.Content, url.Authority, maxAnswerBytes, deadline.Token);
            return new HttpAnswer(response.StatusCode, body, bytes, response.Headers.Location);
        }
        catch (Exception e) when (e is FlurlHttpException or HttpRequestException or OperationCanceledException
            or IOException or InvalidDataException or InvalidOperationException or AnswerTooLargeException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Translate(e, client == PortalClient ? "The portal" : "The OAuth server", deadline.IsCancellationRequested);
        }
    }

    private static RestError Translate(Exception exception, string who, bool timedOut)
    {
        if (exception is AnswerTooLargeException)
            return RestError.Unknown($"{who}: the answer is too large.");
        if (timedOut)
            return RestError.Unknown($"{who}: no answer in time.");
        var error = exception as HttpRequestException ?? exception.InnerException as HttpRequestException;
        return error?.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError =>
                RestError.Unavailable($"{who}: the name could not be resolved, or resolves to an internal address."),
            HttpRequestError.ConnectionError => RestError.Unavailable($"{who}: no connection."),
            HttpRequestError.SecureConnectionError => RestError.Unavailable($"{who}: no secure connection."),
            _ => RestError.Unknown($"{who}: the connection broke."),
        };
    }
}
