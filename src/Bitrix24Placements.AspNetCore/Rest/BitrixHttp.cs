using System.Net;
using Flurl;
using Flurl.Http;

namespace Bitrix24Placements.Rest;

/// <summary>A body that is not JSON is <c>default</c>.</summary>
internal readonly record struct HttpAnswer(HttpStatusCode Status, JsonElement Body, int Bytes, Uri? Location);

/// <summary>Nothing came back. No inner exception: those of the libraries name whole URLs, and a URL can hold a token.</summary>
/// <param name="sent">The request may have reached the other side.</param>
internal sealed class BitrixTransportException(string message, bool sent) : Exception(message)
{
    public RestError ToError(string who)
    {
        var description = $"{who}: {Message}.";
        return sent ? RestError.Unknown(description) : RestError.Unavailable(description);
    }
}

/// <summary>The only file that knows Flurl. No redirect is followed, no library exception let through.</summary>
internal sealed class BitrixHttp(IHttpClientFactory clients, AnswerReader answers)
{
    public const string PortalClient = "bitrix24-portal";
    public const string OAuthClient = "bitrix24-oauth";

    public Task<HttpAnswer> PostAsync(
        string client, Uri url, HttpContent content, int maxAnswerBytes, TimeSpan timeout, CancellationToken cancellationToken) =>
        SendAsync(client, HttpMethod.Post, new Url(url.AbsoluteUri), content, maxAnswerBytes, timeout, cancellationToken);

    /// <summary>For <c>app.info</c>, which the OAuth servers document with the token in the query.</summary>
    public Task<HttpAnswer> GetWithTokenAsync(Uri url, Secret token, TimeSpan timeout, CancellationToken cancellationToken) => SendAsync(
        OAuthClient, HttpMethod.Get, new Url(url.AbsoluteUri).SetQueryParam("auth", token.Reveal()), null,
        AnswerReader.SmallBytes, timeout, cancellationToken);

    private async Task<HttpAnswer> SendAsync(
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
            return new(response.StatusCode, body, bytes, response.Headers.Location);
        }
        catch (Exception e) when (e is FlurlHttpException or HttpRequestException or OperationCanceledException
            or IOException or InvalidDataException or InvalidOperationException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Translate(e, deadline.IsCancellationRequested);
        }
    }

    private static BitrixTransportException Translate(Exception exception, bool timedOut)
    {
        if (timedOut)
            return new("no answer in time", sent: true);
        var error = exception as HttpRequestException ?? exception.InnerException as HttpRequestException;
        return error?.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => new("the name could not be resolved, or resolves to an internal address", sent: false),
            HttpRequestError.ConnectionError => new("no connection", sent: false),
            HttpRequestError.SecureConnectionError => new("no secure connection", sent: false),
            _ => new("the connection broke", sent: true),
        };
    }
}
