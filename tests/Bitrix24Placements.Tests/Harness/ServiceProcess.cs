using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>The service as a process of its own, so that it can be killed at any instant.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    /// <summary>A published executable to be tested instead of what was built with the tests: <c>SERVICE_EXECUTABLE</c>.</summary>
    private static readonly string? Executable = Environment.GetEnvironmentVariable("SERVICE_EXECUTABLE") is { Length: > 0 } path ? path : null;

    /// <summary>A test run that is ended from outside leaves none behind.</summary>
    private static readonly ConcurrentDictionary<Process, bool> Running = new();

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private DirectoryInfo? _ownFolder;

    static ServiceProcess() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        foreach (var process in Running.Keys)
            End(process);
    };

    private ServiceProcess(Process process, Uri url)
    {
        (_process, Url) = (process, url);
        Running[process] = true;
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = url, Timeout = TimeSpan.FromSeconds(40) };
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Url { get; }

    public HttpClient Http { get; }

    /// <summary>What it has written until now.</summary>
    public string Output => string.Join('\n', _output);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Waits until it is ready, in a folder of its own that goes with it.</summary>
    public static Task<ServiceProcess> StartAsync(Dictionary<string, string?> settings, int? port = null, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var process = Begin(folder, settings, port ?? Service.FreePort(), arguments: arguments);
        process._ownFolder = folder;
        return process.ReadyAsync();
    }

    /// <summary>Starts it and waits for nothing.</summary>
    /// <param name="heedsFileModes">Also as root, whom they hold back only where a capability is missing.</param>
    public static ServiceProcess Begin(
        DirectoryInfo folder, Dictionary<string, string?> settings, int port, bool heedsFileModes = false, params string[] arguments)
    {
        var url = new Uri($"http://127.0.0.1:{port}");
        string[] command =
        [
            .. heedsFileModes && Environment.UserName == "root" ? ["setpriv", "--bounding-set=-dac_override"] : Array.Empty<string>(),
            .. Executable is null ? ["dotnet", Path.Combine(AppContext.BaseDirectory, "Bitrix24Placements.dll")] : new[] { Executable },
            .. arguments,
        ];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_URLS"] = url.GetLeftPart(UriPartial.Authority);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["Shutdown__DrainSeconds"] = "0";
        foreach (var (name, value) in settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        return new(Process.Start(start)!, url);
    }

    /// <summary>Fails when the process ends, or is not ready in time.</summary>
    public async Task<ServiceProcess> ReadyAsync()
    {
        for (var until = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < until && !_process.HasExited;)
        {
            if (await HealthAsync() is not null)
                return this;
            await Task.Delay(50, Token);
        }

        Assert.Fail($"The process is not ready. It wrote:\n{Output}");
        return this;
    }

    /// <summary>The first line that it writes with this text: lines come after what they tell of.</summary>
    public async Task<string> LineAsync(string text)
    {
        for (var until = DateTime.UtcNow.AddSeconds(20); DateTime.UtcNow < until; await Task.Delay(50, Token))
        {
            if (_output.FirstOrDefault(l => l.Contains(text, StringComparison.Ordinal)) is { } line)
                return line;
        }

        Assert.Fail($"It does not write \"{text}\". It wrote:\n{Output}");
        return "";
    }

    /// <summary>What <c>/health/ready</c> tells; null while the service is not ready or not there.</summary>
    public async Task<JsonObject?> HealthAsync()
    {
        try
        {
            using var answer = await Http.GetAsync("/health/ready", Token);
            return answer.IsSuccessStatusCode ? await Service.JsonAsync(answer) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>SIGKILL: nothing of it runs any more when this returns.</summary>
    public void Kill() => End(_process);

    /// <summary>SIGTERM.</summary>
    /// <returns>The exit status.</returns>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Token);
        return await EndedAsync();
    }

    /// <summary>Waits until it ends by itself.</summary>
    /// <returns>The exit status.</returns>
    public async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromSeconds(40), Token);
        return _process.ExitCode;
    }

    public async Task<HttpResponseMessage> PostAsync(LaunchForm form, string accept = "text/html")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, form.Action.PathAndQuery) { Content = new FormUrlEncodedContent(form.Body) };
        request.Headers.Accept.ParseAdd(accept);
        return await Http.SendAsync(request, Token);
    }

    public Task<HttpResponseMessage> WorkerAsync(SimPortal portal) => PostAsync(portal.LaunchFields("PAGE_BACKGROUND_WORKER", handler: new Uri(Url, "/placements/page-background-worker").AbsoluteUri));

    public Task<HttpResponseMessage> LinkAsync(SimPortal portal, int userId = 1) => PostAsync(portal.LaunchFields("REST_APP_URI", userId, handler: new Uri(Url, "/placements/rest-app-uri").AbsoluteUri));

    public Task<HttpResponseMessage> AppPageAsync(SimPortal portal, int userId = 1) => PostAsync(portal.LaunchFields("DEFAULT", userId, handler: Url.AbsoluteUri));

    /// <summary>A busy machine may let the three seconds of a confirmation pass: an administrator would try again.</summary>
    public async Task InstallAsync(SimPortal portal)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var answer = await PostAsync(portal.InstallFields(handler: new Uri(Url, "/install").AbsoluteUri), "application/json");
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable && attempt < 10)
                continue;
            var outcome = await Service.JsonAsync(answer);
            Assert.True((bool?)outcome["finished"], $"{outcome.ToJsonString()}\n{Output}");
            portal.FinishInstall();
            return;
        }
    }

    /// <summary>The answer's status and, where it is refused, the code; null where the process was killed.</summary>
    public async Task<(HttpStatusCode Status, string? Detail)?> TrySignalAsync(SimPortal portal)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/signals")
        {
            Content = new StringContent(new JsonObject { ["memberId"] = portal.MemberId, ["command"] = "test" }.ToJsonString(), new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.Authorization = new("Bearer", Service.ApiKey);
        try
        {
            using var answer = await Http.SendAsync(request, Token);
            return (answer.StatusCode, answer.StatusCode == HttpStatusCode.Accepted ? null : (string?)(await Service.JsonAsync(answer))["detail"]);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or ObjectDisposedException || (e is OperationCanceledException && !Token.IsCancellationRequested))
        {
            return null;
        }
    }

    public ValueTask DisposeAsync()
    {
        End(_process);
        Running.TryRemove(_process, out _);
        Http.Dispose();
        _process.Dispose();
        _ownFolder?.Delete(true);
        return ValueTask.CompletedTask;
    }

    private static void End(Process process)
    {
        if (process.HasExited)
            return;
        process.Kill();
        // Without a limit: what it has written is then there as well.
        process.WaitForExit();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
            _output.Enqueue(line.Data);
    }
}
