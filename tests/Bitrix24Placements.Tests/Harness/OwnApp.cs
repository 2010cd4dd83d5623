using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>Somebody's own app on the library, as his <c>Program.cs</c> makes it, with a simulated Bitrix24.</summary>
public sealed class OwnApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly DirectoryInfo _folder;

    private OwnApp(WebApplication app, Bitrix24 bitrix, DirectoryInfo folder, Uri url)
    {
        (_app, Bitrix, _folder, Url) = (app, bitrix, folder, url);
        Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = url };
    }

    public Bitrix24 Bitrix { get; }

    public SimPortal Portal => Bitrix.Portals[0];

    public Uri Url { get; }

    public HttpClient Http { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <param name="map">What stands after <c>UseBitrix24Placements</c>, <c>MapBitrix24Placements</c> included.</param>
    /// <param name="root">Of the app's files.</param>
    public static async Task<OwnApp> StartAsync(
        Action<WebApplication> map, Action<IServiceCollection>? services = null, Dictionary<string, string?>? settings = null, string? root = null)
    {
        var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var url = new Uri($"http://127.0.0.1:{Service.FreePort()}");
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = root ?? folder.FullName });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Bitrix24:ClientId"] = bitrix.Options.ClientId,
            ["Bitrix24:ClientSecret"] = bitrix.Options.ClientSecret,
            ["Bitrix24:PublicUrl"] = url.GetLeftPart(UriPartial.Authority),
            ["Bitrix24:AllowInsecureHttp"] = "true",
            ["Bitrix24:OAuthServers:0"] = bitrix.OAuth.Url,
            ["Storage:ConnectionString"] = $"Data Source={folder.FullName}/placements.db",
            ["Storage:SpoolPath"] = $"{folder.FullName}/spool",
        });
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url.AbsoluteUri);
        services?.Invoke(builder.Services);
        builder.AddBitrix24Placements();
        var app = builder.Build();
        app.UseBitrix24Placements();
        map(app);
        await app.StartAsync(Token);
        bitrix.ServiceUrl = url.GetLeftPart(UriPartial.Authority);
        return new(app, bitrix, folder, url);
    }

    /// <summary>By an administrator's wizard.</summary>
    public async Task<JsonObject> InstallAsync(SimPortal? portal = null, SimApp? app = null)
    {
        portal ??= Portal;
        using var answer = await PostAsync(portal.InstallFields(handler: new Uri(Url, "/install").AbsoluteUri, app: app), "application/json");
        portal.FinishInstall(app);
        return await Service.JsonAsync(answer);
    }

    /// <summary>As the portal opens it: at the address that was registered, or at another.</summary>
    public Task<HttpResponseMessage> LaunchAsync(
        string placement, int userId = 1, JsonObject? options = null, string accept = "text/html", string? path = null, SimApp? app = null, Action<LaunchForm>? change = null)
    {
        var form = Portal.LaunchFields(placement, userId, options: options, handler: path is null ? null : new Uri(Url, path).AbsoluteUri, app: app);
        change?.Invoke(form);
        return PostAsync(form, accept);
    }

    /// <summary>The page's text; fails where it is none.</summary>
    public async Task<string> OpenAsync(string placement, int userId = 1, JsonObject? options = null)
    {
        using var page = await LaunchAsync(placement, userId, options);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        return await page.Content.ReadAsStringAsync(Token);
    }

    /// <summary>What a page asks its backend.</summary>
    public async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, string? session, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (session is not null)
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + session);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        return await Http.SendAsync(request, Token);
    }

    public async Task<HttpResponseMessage> PostAsync(LaunchForm form, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, form.Action.PathAndQuery) { Content = new FormUrlEncodedContent(form.Body) };
        request.Headers.Accept.ParseAdd(accept);
        return await Http.SendAsync(request, Token);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync(Token);
        await _app.DisposeAsync();
        await Bitrix.DisposeAsync();
        _folder.Delete(true);
    }
}
