using System.Net;
using System.Text.Json;
using Flurl;
using Flurl.Http;

namespace Bitrix24Placements.Rest;

/// <summary>What came back over HTTP. A body that is not JSON is <c>default</c>.</summary>
internal readonly record struct HttpAnswer(HttpStatusCode Status, JsonElement Body, Uri? Location)
{
    public bool IsJsonObject => Body.ValueKind == JsonValueKind.Object;
}

/// <summary>Nothing came back. Carries no inner exception: those of the libraries below name whole URLs, and a URL can hold a token.</summary>
internal sealed class BitrixTransportException(string message, bool sent) : Exception(message)
{
    /// <summary>Whether the request may have reached the other side.</summary>
    public bool Sent { get; } = sent;
}

/// <summary>The only file that knows Flurl: requests out, JSON in, no redirect followed, no library exception let through.</summary>
internal sealed class BitrixHttp(IHttpClientFactory clients)
{
    public const string PortalClient = "bitrix24-portal";
    public const string OAuthClient = "bitrix24-oauth";

    /// <exception cref="BitrixTransportException">No answer.</exception>
    public Task<HttpAnswer> PostAsync(string client, Uri url, HttpContent content, TimeSpan timeout, CancellationToken cancellationToken) =>
        SendAsync(client, HttpMethod.Post, new Url(url.AbsoluteUri), content, timeout, cancellationToken);

    /// <summary>For <c>app.info</c>, which the OAuth servers document with the token in the query.</summary>
    /// <exception cref="BitrixTransportException">No answer.</exception>
    public Task<HttpAnswer> GetWithTokenAsync(string client, Uri url, Secret token, TimeSpan timeout, CancellationToken cancellationToken) =>
        SendAsync(client, HttpMethod.Get, new Url(url.AbsoluteUri).SetQueryParam("auth", token.Reveal()), null, timeout, cancellationToken);

    private async Task<HttpAnswer> SendAsync(string client, HttpMethod method, Url url, HttpContent? content, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            using var http = clients.CreateClient(client);
            using var flurl = new FlurlClient(http);
            using var response = await new FlurlRequest(url).WithClient(flurl).AllowAnyHttpStatus()
                .ConfigureRequest(settings => settings.Timeout = timeout + TimeSpan.FromSeconds(5))
                .SendAsync(method, content, deadline.Token);
            return await ReadAsync(response, deadline.Token);
        }
        catch (Exception e) when (e is FlurlHttpException or HttpRequestException or OperationCanceledException or IOException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Translate(e, deadline.IsCancellationRequested);
        }
    }

    private static async Task<HttpAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return new(response.StatusCode, ParseJson(bytes), response.Headers.Location);
    }

    private static JsonElement ParseJson(byte[] bytes)
    {
        try
        {
            return JsonElement.Parse(bytes);
        }
        catch (JsonException)
        {
            return default;
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
            HttpRequestError.ConfigurationLimitExceeded => new("the answer is too large", sent: true),
            _ => new("the connection broke", sent: true),
        };
    }
}
