using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Benchmarks;

/// <summary>One server under load, as a process of its own on loopback.</summary>
internal sealed class Contender(string name, Process process, int port) : IDisposable
{
    private bool _ended;

    public string Name { get; } = name;

    public int Port { get; } = port;

    public long ResidentMiB
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64 / (1024 * 1024);
        }
    }

    public static Contender Start(string name, string program, IEnumerable<string> arguments, int port, Dictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? AppContext.BaseDirectory };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in environment ?? [])
            start.Environment[key] = value;
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, e) => Console.Error.WriteLine(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new(name, process, port);
    }

    /// <summary>Waits until the prepared request is answered with 200. It does not ask more often, since asking in vain takes processor time from what is starting.</summary>
    public async Task AnswersAsync(byte[] request)
    {
        for (var until = DateTime.UtcNow.AddSeconds(30); ; await Task.Delay(5))
        {
            try
            {
                if ((await LoadGenerator.AtFullSpeedAsync(Port, request, 1, TimeSpan.FromMilliseconds(1))) is { Failures: 0, PerSecond: > 0 })
                    return;
            }
            catch (SocketException) when (DateTime.UtcNow < until && !process.HasExited)
            {
            }

            if (process.HasExited || DateTime.UtcNow > until)
                throw new InvalidOperationException($"{Name} does not answer.");
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        if (_ended)
            return;
        _ended = true;
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        process.Dispose();
    }
}
