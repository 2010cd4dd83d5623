using System.Diagnostics;
using System.Globalization;
using LoadData;
using Microsoft.Extensions.Configuration;

// dotnet run --project tests/LoadData -c Release -- --sqlite FILE [--portals 1000000] [--public-url https://app.example.com]
var options = new ConfigurationBuilder().AddCommandLine(args).Build();
if (options["sqlite"] is not { Length: > 0 } file)
{
    await Console.Error.WriteLineAsync("Name a file: --sqlite FILE [--portals 1000000] [--public-url https://app.example.com]");
    return 1;
}

var portals = int.Parse(options["portals"] ?? "1000000", CultureInfo.InvariantCulture);
var started = Stopwatch.GetTimestamp();
await ManyPortals.FillAsync(file, portals, options["public-url"], done => Console.WriteLine($"{done} portals in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"), CancellationToken.None);
Console.WriteLine($"{file}: {new FileInfo(file).Length / 1024 / 1024} MiB");
return 0;
