using System.Diagnostics;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>The service as a process of its own, for what can only be seen there: what it writes.</summary>
public sealed class ServiceProcess : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");
    private readonly Process _process;
    private readonly Task<string> _output;

    private ServiceProcess(Dictionary<string, string> environment)
    {
        Http = new() { BaseAddress = new($"http://127.0.0.1:{Service.FreePort()}") };
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Bitrix24Placements.dll")]) { WorkingDirectory = _folder.FullName, RedirectStandardOutput = true };
        start.Environment["ASPNETCORE_URLS"] = Http.BaseAddress.AbsoluteUri;
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    public HttpClient Http { get; }

    public static async Task<ServiceProcess> StartAsync(Dictionary<string, string> environment)
    {
        var process = new ServiceProcess(environment);
        for (var until = DateTime.UtcNow.AddSeconds(30); !await process.IsReadyAsync();)
        {
            if (process._process.HasExited || DateTime.UtcNow > until)
            {
                process.Dispose();
                Assert.Fail("The process did not become ready.");
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return process;
    }

    /// <summary>Ends it, and gives what it has written.</summary>
    public Task<string> EndAsync()
    {
        _process.Kill(entireProcessTree: true);
        return _output;
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await Http.GetAsync("/health/ready", TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        Http.Dispose();
        _folder.Delete(true);
    }
}
