using System.Diagnostics;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>The service as a process of its own, for what can only be seen there: that it does not start.</summary>
public sealed record FailedStart(int ExitCode, string Output)
{
    /// <summary>Runs until it ends by itself; fails when it has not within 30 seconds.</summary>
    public static Task<FailedStart> RunAsync(Dictionary<string, string> environment, params string[] arguments) => RunWithInputAsync(environment, "", arguments);

    /// <param name="input">One line on its standard input.</param>
    public static async Task<FailedStart> RunWithInputAsync(Dictionary<string, string> environment, string input, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Bitrix24Placements.dll"), .. arguments])
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{Service.FreePort()}";
        // A developer's own certificate must not serve.
        start.Environment["HOME"] = folder.FullName;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        try
        {
            await process.StandardInput.WriteLineAsync(input);
            process.StandardInput.Close();
            var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
            await process.WaitForExitAsync(patience.Token);
            return new(process.ExitCode, string.Concat(output));
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            folder.Delete(true);
        }
    }
}
