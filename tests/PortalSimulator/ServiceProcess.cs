using System.Diagnostics;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>The service itself as a child, with settings for this simulator and data that is thrown away.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly string Beside = Path.Combine(AppContext.BaseDirectory, "service.txt");
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly DirectoryInfo _data;

    private ServiceProcess(Process process, DirectoryInfo data, string url) => (_process, _data, Url) = (process, data, url);

    public string Url { get; }

    public static async Task<ServiceProcess> StartAsync(Bitrix24 bitrix, string? dll, CancellationToken cancellationToken)
    {
        dll = await FindAsync(dll, cancellationToken);
        var url = $"http://127.0.0.1:{LoopbackPort.Free()}";
        var data = Directory.CreateTempSubdirectory("bitrix24placements-");
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { dll },
            WorkingDirectory = Path.GetDirectoryName(dll),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = url;
        start.Environment["Storage__ConnectionString"] = $"Data Source={Path.Combine(data.FullName, "placements.db")}";
        start.Environment["Storage__SpoolPath"] = Path.Combine(data.FullName, "spool");
        foreach (var (name, value) in Settings(bitrix, url))
            start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new SimulatorException("The service could not be started.");
        var service = new ServiceProcess(process, data, url);
        try
        {
            service.PassOutput();
            await service.ReadyAsync(bitrix.Http, cancellationToken);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>What any service needs to work with this simulator.</summary>
    public static IEnumerable<(string Name, string Value)> Settings(Bitrix24 bitrix, string serviceUrl)
    {
        var portal = bitrix.Portals[0];
        yield return ("Bitrix24__ClientId", portal.App.ClientId);
        yield return ("Bitrix24__ClientSecret", portal.App.ClientSecret);
        yield return ("Bitrix24__PublicUrl", serviceUrl.TrimEnd('/'));
        yield return ("Bitrix24__AllowInsecureHttp", "true");
        yield return ("Bitrix24__OAuthServers__0", bitrix.OAuth.Url);
        yield return ("Bitrix24__ScriptUrl", $"{portal.Url}/api/v1/");
        yield return ("Bitrix24__PullScriptUrl", $"{portal.Url}/api/v1/pull/");
        yield return ("Bitrix24__Verification", "Required");
        yield return ("Signals__ApiKeys__0", bitrix.SignalsApiKey ?? "");
    }

    /// <summary>Fails when the service ends before it is told to.</summary>
    public async Task EndedAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        throw new SimulatorException($"The service ended by itself with {_process.ExitCode}.");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        _process.Dispose();
        _data.Delete(recursive: true);
    }

    private static async Task<string> FindAsync(string? dll, CancellationToken cancellationToken)
    {
        if (dll is null && File.Exists(Beside)) dll = (await File.ReadAllTextAsync(Beside, cancellationToken)).Trim();
        if (dll is null)
            throw new SimulatorException("Which service? Name a running one with --service, or its program with --service-dll.");
        return File.Exists(dll) ? Path.GetFullPath(dll) : throw new SimulatorException($"There is no {Path.GetFullPath(dll)}.");
    }

    private void PassOutput()
    {
        _process.OutputDataReceived += Pass;
        _process.ErrorDataReceived += Pass;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        static void Pass(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is not null) Console.WriteLine($"service | {line.Data}");
        }
    }

    private async Task ReadyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        while (!await IsReadyAsync(http, cancellationToken))
        {
            if (_process.HasExited) throw new SimulatorException($"The service ended with {_process.ExitCode} while starting.");
            if (started.Elapsed > StartTime) throw new SimulatorException("The service did not become ready.");
            await Task.Delay(200, cancellationToken);
        }
    }

    private async Task<bool> IsReadyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri($"{Url}/health/ready"), cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
