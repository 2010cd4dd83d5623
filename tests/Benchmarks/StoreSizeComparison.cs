using System.Diagnostics;
using Bitrix24Placements.PortalSimulator;
using LoadData;

namespace Benchmarks;

/// <summary>The same worker load on a store with one portal and on one with a million, in turn; and how long each takes to start.</summary>
internal static class StoreSizeComparison
{
    public static async Task RunAsync(int portals, int rounds)
    {
        await using var bitrix = await Bitrix24.StartAsync();
        var folder = Directory.CreateTempSubdirectory("benchmark-");
        var one = await PrepareAsync(bitrix, folder.CreateSubdirectory("one"), 0);
        var many = await PrepareAsync(bitrix, folder.CreateSubdirectory("many"), portals);
        var ratios = new List<double>();
        var p99 = (One: new List<double>(), Many: new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            var a = await LoadGenerator.AtFullSpeedAsync(one.Contender.Port, one.Request, 16, TimeSpan.FromSeconds(3));
            var b = await LoadGenerator.AtFullSpeedAsync(many.Contender.Port, many.Request, 16, TimeSpan.FromSeconds(3));
            ratios.Add(a.PerSecond / b.PerSecond);
            p99.One.Add(a.P99);
            p99.Many.Add(b.P99);
        }

        Console.WriteLine(FormattableString.Invariant(
            $"""
            | | one portal | {portals} portals |
            |---|---|---|
            | start to first answer, ms | {one.StartMilliseconds:0} | {many.StartMilliseconds:0} |
            | p99 of worker loads at full speed, ms | {Comparison.Median(p99.One):0.0} | {Comparison.Median(p99.Many):0.0} |
            | time per load, ratio within a round, median | 1.00 | {Comparison.Median(ratios):0.00} |
            | memory, MiB | {one.Contender.ResidentMiB} | {many.Contender.ResidentMiB} |
            """));
        one.Contender.Dispose();
        many.Contender.Dispose();
        folder.Delete(true);
    }

    private static async Task<(Contender Contender, byte[] Request, double StartMilliseconds)> PrepareAsync(Bitrix24 bitrix, DirectoryInfo folder, int portals)
    {
        var port = Contender.FreePort();
        if (portals > 0)
            await ManyPortals.FillAsync(Path.Combine(folder.CreateSubdirectory("data").FullName, "placements.db"), portals, $"http://127.0.0.1:{port}", static done => Console.Error.WriteLine($"{done} portals stored"), CancellationToken.None);
        byte[] request;
        using (Comparison.StartService(bitrix, port, folder.FullName))
        {
            var (_, _, form) = await Comparison.InstallAsync(bitrix, port);
            request = LoadGenerator.Prepare(port, Comparison.Path + "?" + Comparison.Encode(form.Query), Comparison.Encode(form.Body));
        }

        var from = Stopwatch.GetTimestamp();
        var contender = Comparison.StartService(bitrix, port, folder.FullName);
        await contender.AnswersAsync(request);
        var took = Stopwatch.GetElapsedTime(from).TotalMilliseconds;
        await Comparison.ReadyAsync(port);
        await LoadGenerator.AtFullSpeedAsync(port, request, 16, TimeSpan.FromSeconds(3));
        return (contender, request, took);
    }
}
