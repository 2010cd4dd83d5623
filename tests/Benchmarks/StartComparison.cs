using System.Diagnostics;
using Bitrix24Placements.PortalSimulator;

namespace Benchmarks;

/// <summary>From the start of the process to the first answered worker load, against the least that an ASP.NET Core app with SQLite needs for an answer.</summary>
internal static class StartComparison
{
    /// <param name="published">An executable to compare besides, such as one of Native AOT.</param>
    public static async Task RunAsync(int rounds, string? published)
    {
        await using var bitrix = await Bitrix24.StartAsync();
        var folder = Directory.CreateTempSubdirectory("benchmark-");
        var port = Contender.FreePort();
        byte[] request;
        using (Comparison.StartService(bitrix, port, folder.FullName))
        {
            var (_, _, form) = await Comparison.InstallAsync(bitrix, port);
            request = LoadGenerator.Prepare(port, Comparison.Path + "?" + Comparison.Encode(form.Query), Comparison.Encode(form.Body));
        }

        var ours = new List<double>();
        var minimal = new List<double>();
        var others = new List<double>();
        var firstLoads = new List<double>();
        var memory = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            minimal.Add(await TimeAsync(() => Contender.Start("minimal", Environment.ProcessPath!, ["minimal", $"{port}", System.IO.Path.Combine(folder.FullName, "minimal.db")], port), request, null));
            ours.Add(await TimeAsync(() => Comparison.StartService(bitrix, port, folder.FullName), request, async contender =>
            {
                await Comparison.ReadyAsync(port);
                firstLoads.Add((await LoadGenerator.AtFullSpeedAsync(port, request, 1, TimeSpan.FromMilliseconds(200))).Max);
                memory.Add(contender.ResidentMiB);
            }));
            if (published is not null)
                others.Add(await TimeAsync(() => Comparison.StartService(bitrix, port, folder.FullName, executable: published), request, null));
        }

        Console.WriteLine(FormattableString.Invariant(
            $"""
            | | median of {rounds} |
            |---|---|
            | minimal app with SQLite, start to first answer | {Comparison.Median(minimal):0} ms |
            | service, start to first answered worker load | {Comparison.Median(ours):0} ms |
            | ratio | {Comparison.Median(ours.Zip(minimal, static (a, b) => a / b)):0.00} |
            | slowest of the first loads after it says ready | {Comparison.Median(firstLoads):0.0} ms |
            | memory then | {Comparison.Median(memory):0} MiB |
            """));
        if (published is not null)
            Console.WriteLine(FormattableString.Invariant($"| {System.IO.Path.GetFileName(published)} as published, start to first answered worker load | {Comparison.Median(others):0} ms |"));
        folder.Delete(true);
    }

    private static async Task<double> TimeAsync(Func<Contender> start, byte[] request, Func<Contender, Task>? afterwards)
    {
        var from = Stopwatch.GetTimestamp();
        using var contender = start();
        await contender.AnswersAsync(request);
        var took = Stopwatch.GetElapsedTime(from).TotalMilliseconds;
        if (afterwards is not null)
            await afterwards(contender);
        return took;
    }
}
