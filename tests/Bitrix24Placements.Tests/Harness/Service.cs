using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.PortalSimulator;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>The service on a real socket with a real database, against a simulated Bitrix24 over HTTP.</summary>
public sealed class Service : IAsyncDisposable
{
    public const string ApiKey = "a-key-of-the-users-own-backend-1";

    private static int _lastPort = Random.Shared.Next(12_000);

    private readonly Factory _factory;
    private readonly DirectoryInfo _folder;
    private readonly bool _ownsFolder;
    private readonly bool _ownsBitrix;

    private Service(Factory factory, Bitrix24 bitrix, DirectoryInfo folder, Uri url, bool ownsBitrix, bool ownsFolder)
    {
        (_factory, Bitrix, _folder, Url, _ownsBitrix, _ownsFolder) = (factory, bitrix, folder, url, ownsBitrix, ownsFolder);
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = url };
    }

    public Bitrix24 Bitrix { get; }

    public SimPortal Portal => Bitrix.Portals[0];

    public Uri Url { get; }

    public HttpClient Http { get; }

    public DirectoryInfo Folder => _folder;

    public ConcurrentQueue<string> Logs => _factory.Logs;

    public T Get<T>()
        where T : notnull => _factory.Services.GetRequiredService<T>();

    /// <param name="settings">Configuration over the defaults for the simulator; null takes a default away.</param>
    /// <param name="bitrix">Shared with other instances; otherwise the service has its own.</param>
    /// <param name="folder">Of another instance, to start again on its database.</param>
    public static async Task<Service> StartAsync(
        Dictionary<string, string?>? settings = null, Bitrix24? bitrix = null, DirectoryInfo? folder = null, Action<IServiceCollection>? services = null, int port = 0, string environment = "Production")
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var ownsBitrix = bitrix is null;
        bitrix ??= await Bitrix24.StartAsync(cancellationToken: cancellationToken);
        var data = folder ?? Directory.CreateTempSubdirectory("b24p-");
        var url = new Uri($"http://127.0.0.1:{(port == 0 ? FreePort() : port)}");
        var configuration = new Dictionary<string, string?>
        {
            ["Bitrix24:ClientId"] = bitrix.Options.ClientId,
            ["Bitrix24:ClientSecret"] = bitrix.Options.ClientSecret,
            ["Bitrix24:PublicUrl"] = url.GetLeftPart(UriPartial.Authority),
            ["Bitrix24:AllowInsecureHttp"] = "true",
            ["Bitrix24:OAuthServers:0"] = bitrix.OAuth.Url,
            ["Storage:ConnectionString"] = $"Data Source={Path.Combine(data.FullName, "placements.db")}",
            ["Signals:ApiKeys:0"] = ApiKey,
            ["Shutdown:DrainSeconds"] = "0",
        };
        foreach (var (key, value) in settings ?? [])
            configuration[key] = value;
        var factory = new Factory(configuration, services, environment);
        // Not UseKestrel(port): that sets the address while the program may be starting already.
        factory.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, url.Port));
        factory.StartServer();
        bitrix.ServiceUrl = url.GetLeftPart(UriPartial.Authority);
        bitrix.SignalsApiKey = ApiKey;
        var service = new Service(factory, bitrix, data, url, ownsBitrix, folder is null);
        await service.EventuallyAsync(async () => (await service.Http.GetAsync("/health/ready", cancellationToken)).StatusCode == HttpStatusCode.OK, "ready");
        return service;
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

    /// <summary>Below the range from which the system takes ports for outgoing connections, and never the same one twice: what is free now is still free when a service listens there.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = 20_000 + (int)((uint)Interlocked.Increment(ref _lastPort) % 12_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's: the next one.
            }
        }
    }

    /// <summary>Stops this instance and leaves database and Bitrix24 as they are, for the next one.</summary>
    public async Task StopAsync()
    {
        Http.Dispose();
        await _factory.EndAsync();
        await _factory.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_ownsBitrix)
            await Bitrix.DisposeAsync();
        if (_ownsFolder)
            _folder.Delete(true);
    }

    private sealed class Factory(Dictionary<string, string?> settings, Action<IServiceCollection>? services, string environment) : WebApplicationFactory<ForwardedSettings>
    {
        private bool _ended;

        public ConcurrentQueue<string> Logs { get; } = new();

        /// <summary>As SIGTERM does. The factory would stop the host while the program, which wakes up by that, takes its services away.</summary>
        public async Task EndAsync()
        {
            if (_ended)
                return;
            _ended = true;
            var lifetime = Services.GetRequiredService<IHostApplicationLifetime>();
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = lifetime.ApplicationStopped.Register(stopped.SetResult);
            lifetime.StopApplication();
            await stopped.Task.WaitAsync(TimeSpan.FromSeconds(40));
        }

        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment(environment);
            foreach (var (key, value) in settings)
            {
                if (value is not null)
                    builder.UseSetting(key, value);
            }

            builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(new QueueProvider(Logs)).SetMinimumLevel(LogLevel.Debug).AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning));
            builder.ConfigureTestServices(s => services?.Invoke(s));
        }
    }

    private sealed class QueueProvider(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : "\n" + exception)}");

        public void Dispose()
        {
        }
    }
}
