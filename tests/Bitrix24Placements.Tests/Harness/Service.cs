using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.PortalSimulator;
using Microsoft.Extensions.DependencyInjection;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>The service on a real socket with a real database, against a simulated Bitrix24 over HTTP.</summary>
public sealed class Service : IAsyncDisposable
{
    public const string ApiKey = "a-key-of-the-users-own-backend-1";

    private readonly InstalledApp<Draining> _app;
    private readonly bool _ownsFolder;
    private readonly bool _ownsBitrix;

    private Service(InstalledApp<Draining> app, bool ownsBitrix, bool ownsFolder) =>
        (_app, _ownsBitrix, _ownsFolder) = (app, ownsBitrix, ownsFolder);

    public Bitrix24 Bitrix => _app.Bitrix;

    public SimPortal Portal => _app.Portal;

    public Uri Url => _app.Url;

    public HttpClient Http => _app.Http;

    public DirectoryInfo Folder => _app.Folder;

    public IReadOnlyCollection<string> Logs => _app.Logs;

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <param name="settings">Configuration over the defaults for the simulator; null takes a default away.</param>
    /// <param name="bitrix">Shared with other instances; otherwise the service has its own.</param>
    /// <param name="folder">Of another instance, to start again on its database.</param>
    public static async Task<Service> StartAsync(
        Dictionary<string, string?>? settings = null, Bitrix24? bitrix = null, DirectoryInfo? folder = null, Action<IServiceCollection>? services = null, int port = 0, string environment = "Production")
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var ownsBitrix = bitrix is null;
        var ownsFolder = folder is null;
        bitrix ??= await Bitrix24.StartAsync(cancellationToken: cancellationToken);
        folder ??= Directory.CreateTempSubdirectory("b24p-");
        // The vendor's libraries and the spool are where they are without a setting.
        var configuration = new Dictionary<string, string?>
        {
            ["Bitrix24:ScriptUrl"] = null,
            ["Bitrix24:PullScriptUrl"] = null,
            ["Storage:SpoolPath"] = null,
            ["Signals:ApiKeys:0"] = ApiKey,
            ["Shutdown:DrainSeconds"] = "0",
        };
        foreach (var (key, value) in settings ?? [])
            configuration[key] = value;
        var app = await InstalledApp<Draining>.StartAsync(
            configuration, services, bitrix, install: false, environment, folder, port, cancellationToken);
        bitrix.SignalsApiKey = ApiKey;
        return new(app, ownsBitrix, ownsFolder);
    }

    /// <summary>With its portal installed by an administrator's wizard.</summary>
    public static async Task<Service> StartInstalledAsync(Dictionary<string, string?>? settings = null, Bitrix24? bitrix = null, string environment = "Production")
    {
        var service = await StartAsync(settings, bitrix, environment: environment);
        await service.InstallAsync();
        service.Portal.FinishInstall();
        return service;
    }

    /// <summary>The wizard's outcome as JSON.</summary>
    public async Task<JsonObject> InstallAsync(SimPortal? portal = null, int userId = 1)
    {
        using var answer = await PostAsync((portal ?? Portal).InstallFields(userId, handler: new Uri(Url, "/install").AbsoluteUri), "application/json");
        return await JsonAsync(answer);
    }

    public Task<HttpResponseMessage> WorkerAsync(SimPortal? portal = null, int userId = 1, string accept = "text/html", Action<LaunchForm>? change = null) =>
        LaunchAsync(portal ?? Portal, "PAGE_BACKGROUND_WORKER", "/placements/page-background-worker", userId, accept, null, change);

    public Task<HttpResponseMessage> LinkAsync(SimPortal? portal = null, int userId = 1, string accept = "text/html", JsonObject? options = null, Action<LaunchForm>? change = null) =>
        LaunchAsync(portal ?? Portal, "REST_APP_URI", "/placements/rest-app-uri", userId, accept, options, change);

    public Task<HttpResponseMessage> AppPageAsync(SimPortal? portal = null, int userId = 1, string accept = "text/html", Action<LaunchForm>? change = null) =>
        LaunchAsync(portal ?? Portal, "DEFAULT", "/", userId, accept, null, change);

    private Task<HttpResponseMessage> LaunchAsync(SimPortal portal, string placement, string path, int userId, string accept, JsonObject? options, Action<LaunchForm>? change)
    {
        var form = portal.LaunchFields(placement, userId, options: options, uri: "/stream/", handler: new Uri(Url, path).AbsoluteUri);
        change?.Invoke(form);
        return PostAsync(form, accept);
    }

    public Task<HttpResponseMessage> PostAsync(LaunchForm form, string accept = "text/html") => PostAsync(form.Action.PathAndQuery, form.Body, accept);

    public async Task<HttpResponseMessage> PostAsync(string path, IEnumerable<KeyValuePair<string, string>> fields, string accept = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Accept.ParseAdd(accept);
        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async Task<HttpResponseMessage> ApiAsync(string path, JsonNode body, string? key = ApiKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json")) };
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public static async Task<JsonObject> JsonAsync(HttpResponseMessage answer) =>
        (JsonObject)JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;

    public static async Task<string> CodeAsync(HttpResponseMessage answer) => (string)(await JsonAsync(answer))["code"]!;

    /// <summary>Waits for something that happens in the background; fails when it has not happened in time.</summary>
    public Task EventuallyAsync(Func<bool> happened, string what, int seconds = 20) => EventuallyAsync(() => Task.FromResult(happened()), what, seconds);

    public async Task EventuallyAsync(Func<Task<bool>> happened, string what, int seconds = 20)
    {
        for (var until = DateTime.UtcNow.AddSeconds(seconds); DateTime.UtcNow < until;)
        {
            if (await happened())
                return;
            await Task.Delay(25, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"Not in time: {what}. Log:\n{string.Join('\n', Logs.TakeLast(40))}");
    }

    public static int FreePort() => LoopbackPort.Free();

    /// <summary>Stops this instance and leaves database and Bitrix24 as they are, for the next one.</summary>
    public Task StopAsync() => _app.DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_ownsBitrix)
            await Bitrix.DisposeAsync();
        if (_ownsFolder)
            Folder.Delete(true);
    }
}
