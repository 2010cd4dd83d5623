using System.Globalization;
using BenchmarkDotNet.Running;
using Benchmarks;

switch (args)
{
    case ["bare", var port, var page, var policy]:
        await BareEndpoint.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), Convert.FromBase64String(page), policy);
        return 0;
    case ["compare", .. var rest]:
        var rounds = rest is [var r, ..] ? int.Parse(r, CultureInfo.InvariantCulture) : 7;
        await Comparison.RunAsync(rounds, rate: 500, TimeSpan.FromSeconds(4), rest is [_, var older] ? Path.GetFullPath(older) : null);
        return 0;
    case ["minimal", var port, var database]:
        await MinimalApp.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), database);
        return 0;
    case ["start", .. var rest]:
        await StartComparison.RunAsync(rest is [var n, ..] ? int.Parse(n, CultureInfo.InvariantCulture) : 9, rest is [_, var published] ? Path.GetFullPath(published) : null);
        return 0;
    case ["stores", .. var rest]:
        await StoreSizeComparison.RunAsync(rest is [var many, ..] ? int.Parse(many, CultureInfo.InvariantCulture) : 1_000_000, rounds: 7);
        return 0;
    case ["allocations"]:
        await Comparison.AllocationsAsync();
        return 0;
    case ["micro", .. var rest]:
        BenchmarkRunner.Run<HotPathBenchmarks>(args: rest);
        return 0;
    default:
        Console.WriteLine(
            """
            dotnet run -c Release --project tests/Benchmarks -- compare [rounds] [dll]   the service, a bare Kestrel endpoint and Node + Express, side by side; another version's Bitrix24Placements.dll besides
            dotnet run -c Release --project tests/Benchmarks -- start [rounds] [executable]   from the start of the process to the first answer, against a minimal app; a published executable besides
            dotnet run -c Release --project tests/Benchmarks -- stores [portals]   a store with one portal against one with a million
            dotnet run -c Release --project tests/Benchmarks -- allocations        bytes that the service allocates per worker load
            dotnet run -c Release --project tests/Benchmarks -- micro              the parser, with BenchmarkDotNet
            """);
        return 1;
}
