using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace LoadData;

/// <summary><c>dotnet run --project tests/LoadData -c Release -- --sqlite FILE [--portals 1000000] [--public-url https://app.example.com]</c></summary>
/// <remarks>Not in top-level statements: their Program is public, and tests mean the service's.</remarks>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        var options = new ConfigurationBuilder().AddCommandLine(args).Build();
        if (options["sqlite"] is not { Length: > 0 } file)
        {
            await Console.Error.WriteLineAsync("Name a file: --sqlite FILE [--portals 1000000] [--public-url https://app.example.com]");
            return 1;
        }

        var portals = int.Parse(options["portals"] ?? "1000000", CultureInfo.InvariantCulture);
        var started = Stopwatch.GetTimestamp();
        await ManyPortals.FillAsync(file, portals, options["public-url"], Told, CancellationToken.None);
        Console.WriteLine($"{file}: {new FileInfo(file).Length / 1024 / 1024} MiB");
        return 0;

        void Told(int done) => Console.WriteLine($"{done} portals in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
    }
}
