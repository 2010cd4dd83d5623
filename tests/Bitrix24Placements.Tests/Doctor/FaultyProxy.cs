using System.Net;
using System.Security.Cryptography.X509Certificates;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bitrix24Placements.Tests.Doctor;

/// <summary>What stands before a service in the world, on loopback, with whatever goes wrong there.</summary>
public sealed class FaultyProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false });

    private FaultyProxy(WebApplication app, Uri url) => (_app, Url) = (app, url);

    public Uri Url { get; }

    public Uri? Target { get; set; }

    public bool RefusesHead { get; set; }

    public int? CutsBodiesAt { get; set; }

    public string? FrameOptions { get; set; }

    public string? Policy { get; set; }

    public string? ForwardedProto { get; set; }

    public bool AnswersItself { get; set; }

    /// <summary>As walls against robots do.</summary>
    public string? BlocksAgent { get; set; }

    public TimeSpan Delay { get; set; }

    /// <param name="certificate">For https; null: http.</param>
    public static async Task<FaultyProxy> StartAsync(X509Certificate2? certificate = null)
    {
        var port = Service.FreePort();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().
            ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (certificate is not null)
                listen.UseHttps(certificate);
        }));
        var app = builder.Build();
        var proxy = new FaultyProxy(app, new(certificate is null ? $"http://127.0.0.1:{port}" : $"https://localhost:{port}"));
        app.Run(proxy.ForwardAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return proxy;
    }

    private async Task ForwardAsync(HttpContext context)
    {
        await Task.Delay(Delay, context.RequestAborted);
        if (AnswersItself || Target is null)
        {
            await context.Response.WriteAsync("Welcome", context.RequestAborted);
            return;
        }

        if ((RefusesHead && HttpMethods.IsHead(context.Request.Method))
            || (BlocksAgent is { } blocked && context.Request.Headers.UserAgent.ToString().Contains(blocked, StringComparison.Ordinal)))
        {
            context.Response.StatusCode = HttpMethods.IsHead(context.Request.Method) ? 405 : 403;
            return;
        }

        using var request = await RequestAsync(context);
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(static h => h.Key is not "Transfer-Encoding"))
            context.Response.Headers[name] = values.ToArray();
        if (FrameOptions is not null)
            context.Response.Headers.XFrameOptions = FrameOptions;
        if (Policy is not null)
            context.Response.Headers.ContentSecurityPolicy = Policy;
        await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private async Task<HttpRequestMessage> RequestAsync(HttpContext context)
    {
        var request = new HttpRequestMessage(new(context.Request.Method),
            new Uri(Target!, context.Request.Path + context.Request.QueryString));
        if (HttpMethods.IsPost(context.Request.Method))
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            request.Content = new ByteArrayContent(body.ToArray(), 0, Math.Min((int)body.Length, CutsBodiesAt ?? int.MaxValue));
        }

        foreach (var (name, values) in
            context.Request.Headers.Where(static h => h.Key is not ("Host" or "Content-Length" or "Connection" or "Transfer-Encoding")))
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }

        request.Headers.Add("X-Forwarded-Proto", ForwardedProto ?? context.Request.Scheme);
        request.Headers.Add("X-Forwarded-Host", context.Request.Host.Value);
        return request;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }
}
