using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>
/// An app under test on a real socket, a simulated Bitrix24 beside it, and an installation of the one on the other:
/// <code>await using var portal = await InstalledApp&lt;Program&gt;.StartAsync();</code>
/// Database, spool and keys lie in a folder that goes with it.
/// </summary>
/// <typeparam name="TEntryPoint">A type of the app's assembly, usually its Program.</typeparam>
public sealed class InstalledApp<TEntryPoint> : IAsyncDisposable
    where TEntryPoint : class
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly AppFactory<TEntryPoint> _factory;
    private readonly bool _ownsBitrix;
    private readonly bool _ownsFolder;

    private InstalledApp(AppFactory<TEntryPoint> factory, Bitrix24 bitrix, bool ownsBitrix, DirectoryInfo folder, bool ownsFolder, Uri url)
    {
        (_factory, Bitrix, _ownsBitrix, Folder, _ownsFolder, Url) = (factory, bitrix, ownsBitrix, folder, ownsFolder, url);
        var plain = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false };
        Http = new HttpClient(plain) { BaseAddress = url };
    }

    /// <summary>The simulated Bitrix24: its OAuth server, faults, REST methods of one's own.</summary>
    public Bitrix24 Bitrix { get; }

    /// <summary>Its first portal, where the app is installed.</summary>
    public SimPortal Portal => Bitrix.Portals[0];

    /// <summary>The app's own address, which is its PublicUrl, too.</summary>
    public Uri Url { get; }

    /// <summary>Where its database, spool and keys lie.</summary>
    public DirectoryInfo Folder { get; }

    /// <summary>Asks the app; relative addresses are below <see cref="Url"/>. Follows no redirect.</summary>
    public HttpClient Http { get; }

    /// <summary>What the app has registered for dependency injection.</summary>
    public IServiceProvider Services => _factory.Services;

    /// <summary>Accepted by the app's <c>/api</c>, unless the settings name other keys.</summary>
    public string ApiKey => Settings.ApiKey;

    /// <summary>What the app has logged so far, from Debug on.</summary>
    public IReadOnlyCollection<string> Logs => [.. _factory.Logs];

    /// <summary>Starts all three.</summary>
    /// <param name="settings">Configuration over that for the simulator; null takes a setting away.</param>
    /// <param name="services">Registrations over the app's own.</param>
    /// <param name="bitrix">Shared with other apps; otherwise the app has its own, and takes it away at the end.</param>
    /// <param name="install">False: the app is started, and installed by <see cref="InstallAsync"/> later.</param>
    /// <param name="folder">Of an app that ran before, whose data this one finds; it stays at the end.</param>
    /// <param name="port">At which it listens; 0: any.</param>
    /// <exception cref="InvalidOperationException">The app did not become ready, or its installation failed; with its log.</exception>
    [SuppressMessage("Design", "CA1000", Justification = "The entry point cannot be inferred: it has to be named in either place.")]
    public static async Task<InstalledApp<TEntryPoint>> StartAsync(
        Dictionary<string, string?>? settings = null,
        Action<IServiceCollection>? services = null,
        Bitrix24? bitrix = null,
        bool install = true,
        string environment = "Production",
        DirectoryInfo? folder = null,
        int port = 0,
        CancellationToken cancellationToken = default)
    {
        var ownsBitrix = bitrix is null;
        bitrix ??= await Bitrix24.StartAsync(cancellationToken: cancellationToken);
        var ownsFolder = folder is null;
        folder ??= Directory.CreateTempSubdirectory("bitrix24placements-");
        var url = new Uri($"http://127.0.0.1:{(port == 0 ? LoopbackPort.Free() : port)}");
        var factory = new AppFactory<TEntryPoint>(Settings.For(bitrix, url, folder, settings), services, environment);
        var app = new InstalledApp<TEntryPoint>(factory, bitrix, ownsBitrix, folder, ownsFolder, url);
        try
        {
            factory.Listen(url.Port);
            bitrix.ServiceUrl = url.GetLeftPart(UriPartial.Authority);
            bitrix.SignalsApiKey = Settings.ApiKey;
            await app.ReadyAsync(cancellationToken);
            if (install) await app.InstallAsync(cancellationToken: cancellationToken);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>An administrator opens the wizard, and its page calls installFinish.</summary>
    /// <returns>The outcome as the app tells it to scripts.</returns>
    /// <exception cref="InvalidOperationException">The wizard has not finished; with the app's log.</exception>
    public async Task<JsonObject> InstallAsync(
        SimPortal? portal = null, int userId = 1, SimApp? app = null, CancellationToken cancellationToken = default)
    {
        portal ??= Portal;
        app ??= portal.App;
        using var answer = await portal.SendAsync(portal.InstallFields(userId, app: app), "application/json", cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        if (!answer.IsSuccessStatusCode || JsonNode.Parse(text) is not JsonObject outcome || outcome["finished"]?.GetValue<bool>() != true)
            throw Failed($"The installation failed with {(int)answer.StatusCode}: {text}");
        await portal.FinishInstallAsync(userId, app, cancellationToken);
        return outcome;
    }

    /// <summary>A user clicks on a deep link: REST_APP_URI.</summary>
    /// <param name="parameters">The link's <c>params</c>.</param>
    public Task<HttpResponseMessage> LinkAsync(
        JsonObject? parameters = null, int userId = 1, string accept = "text/html", CancellationToken cancellationToken = default) =>
        PlacementAsync(Catalogue.Link, parameters, userId, accept, cancellationToken);

    /// <summary>A page of the portal loads the app's PAGE_BACKGROUND_WORKER.</summary>
    public Task<HttpResponseMessage> WorkerAsync(
        int userId = 1, string accept = "text/html", CancellationToken cancellationToken = default) =>
        PlacementAsync(Catalogue.Worker, null, userId, accept, cancellationToken);

    /// <summary>A user opens the app from the menu.</summary>
    public Task<HttpResponseMessage> AppPageAsync(
        int userId = 1, string accept = "text/html", CancellationToken cancellationToken = default) =>
        PlacementAsync(Catalogue.Default, null, userId, accept, cancellationToken);

    /// <summary>A user opens a placement where it is registered: the answer is what his browser would show in the frame.</summary>
    /// <param name="code">Such as <c>CRM_DEAL_DETAIL_TAB</c>.</param>
    /// <param name="options">Its PLACEMENT_OPTIONS, such as <c>{"ID":"5"}</c>.</param>
    /// <exception cref="InvalidOperationException">The app has not registered that placement.</exception>
    public Task<HttpResponseMessage> PlacementAsync(
        string code,
        JsonObject? options = null,
        int userId = 1,
        string accept = "text/html",
        CancellationToken cancellationToken = default) =>
        Portal.SendAsync(Portal.LaunchFields(code, userId, options: options), accept, cancellationToken);

    /// <summary>A page's script asks the app with the session that the page holds, as <c>fetchWithSession</c> does.</summary>
    /// <param name="page">Such as <see cref="LinkAsync"/> gives it.</param>
    /// <param name="path">Below <see cref="Url"/>, such as <c>/deals/5/comment</c>.</param>
    /// <param name="body">Sent as JSON.</param>
    public async Task<HttpResponseMessage> FetchAsync(
        HttpResponseMessage page, HttpMethod method, string path, JsonNode? body = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        var session = Regex.Match(await page.Content.ReadAsStringAsync(cancellationToken), "data-session=\"([^\"]+)\"").Groups[1].Value;
        using var request = new HttpRequestMessage(method, path) { Headers = { Authorization = new("Bearer", session) } };
        if (body is not null) request.Content = JsonContent.Create(body);
        return await Http.SendAsync(request, cancellationToken);
    }

    /// <summary>Waits for something that happens in the background.</summary>
    /// <exception cref="TimeoutException">It has not happened in 20 seconds; with the app's log.</exception>
    public async Task EventuallyAsync(Func<bool> happened, string what, CancellationToken cancellationToken = default)
    {
        for (var until = DateTime.UtcNow.AddSeconds(20); DateTime.UtcNow < until; await Task.Delay(25, cancellationToken))
        {
            if (happened()) return;
        }
        throw new TimeoutException(WithLog($"Not in time: {what}."));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _factory.DisposeAsync();
        if (_ownsBitrix) await Bitrix.DisposeAsync();
        if (_ownsFolder && Folder.Exists) Folder.Delete(recursive: true);
    }

    // An app without health endpoints answers 404: it is ready when it listens.
    private async Task ReadyAsync(CancellationToken cancellationToken)
    {
        for (var until = DateTime.UtcNow + StartTimeout; DateTime.UtcNow < until; await Task.Delay(25, cancellationToken))
        {
            using var answer = await Http.GetAsync("/health/ready", cancellationToken);
            if (answer.StatusCode is not HttpStatusCode.ServiceUnavailable) return;
        }
        throw Failed("The app did not become ready.");
    }

    private InvalidOperationException Failed(string what) => new(WithLog(what));

    private string WithLog(string what) => $"{what}\n{string.Join('\n', _factory.Logs.TakeLast(40))}";
}
