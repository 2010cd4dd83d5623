using System.Net;
using System.Text;
using Bitrix24Placements.PortalSimulator;

namespace Benchmarks;

/// <summary>The service, a bare Kestrel endpoint and, where Node is there, Express: loaded in turn, round after round, so that whatever the machine is doing besides concerns them alike.</summary>
internal static class Comparison
{
    public const string Path = "/placements/page-background-worker";
    private const int Connections = 32;

    /// <param name="older">The published <c>Bitrix24Placements.dll</c> of another version, loaded in the same rounds; null: none.</param>
    public static async Task RunAsync(int rounds, double rate, TimeSpan each, string? older)
    {
        await using var bitrix = await Bitrix24.StartAsync();
        var folder = Directory.CreateTempSubdirectory("benchmark-");
        var port = Contender.FreePort();
        using var service = StartService(bitrix, port, folder.FullName);
        var (page, policy, form) = await InstallAsync(bitrix, port);
        var query = Encode(form.Query);
        var body = Encode(form.Body);

        var contenders = new List<Contender> { service };
        var bare = Contender.FreePort();
        contenders.Add(Contender.Start("bare Kestrel", Environment.ProcessPath!, ["bare", $"{bare}", Convert.ToBase64String(page), policy], bare));
        if (older is not null)
        {
            var port2 = Contender.FreePort();
            contenders.Add(StartService(bitrix, port2, Directory.CreateDirectory(System.IO.Path.Combine(folder.FullName, "older")).FullName, executable: older, name: "the other version"));
            await InstallAsync(bitrix, port2);
        }

        if (await StartNodeAsync(form.Body["APPLICATION_TOKEN"], page, policy) is { } node)
            contenders.Add(node);

        byte[] Request(Contender c) => LoadGenerator.Prepare(c.Port, $"{Path}?{query}", body);
        foreach (var contender in contenders)
        {
            await contender.AnswersAsync(Request(contender));
            // Until the runtime has compiled it as well as it will: it has run for days where it matters.
            await LoadGenerator.AtFullSpeedAsync(contender.Port, Request(contender), Connections, TimeSpan.FromSeconds(10));
        }

        var full = contenders.ToDictionary(static c => c.Name, static _ => new List<LoadResult>());
        var paced = contenders.ToDictionary(static c => c.Name, static _ => new List<LoadResult>());
        for (var round = 0; round < rounds; round++)
        {
            // Whoever comes first in a round comes last in the next.
            foreach (var contender in round % 2 == 0 ? contenders : Enumerable.Reverse(contenders))
            {
                full[contender.Name].Add(await LoadGenerator.AtFullSpeedAsync(contender.Port, Request(contender), Connections, each));
                paced[contender.Name].Add(await LoadGenerator.AtRateAsync(contender.Port, Request(contender), Connections, each, rate));
                Console.Error.WriteLine($"round {round + 1} of {rounds}: {contender.Name} {full[contender.Name][^1].PerSecond:0}/s");
            }
        }

        Print(contenders, full, paced, rate);
        foreach (var contender in contenders)
            contender.Dispose();
        folder.Delete(true);
    }

    /// <summary>What a worker load allocates in the service's process, Kestrel and metrics included: all allocated bytes by the number of requests.</summary>
    public static async Task AllocationsAsync()
    {
        await using var bitrix = await Bitrix24.StartAsync();
        var folder = Directory.CreateTempSubdirectory("benchmark-");
        var (port, management) = (Contender.FreePort(), Contender.FreePort());
        using var service = StartService(bitrix, port, folder.FullName, management);
        var (_, _, form) = await InstallAsync(bitrix, port);
        var request = LoadGenerator.Prepare(port, $"{Path}?{Encode(form.Query)}", Encode(form.Body));
        await LoadGenerator.AtFullSpeedAsync(port, request, Connections, TimeSpan.FromSeconds(5));
        using var http = new HttpClient();
        var before = await ReadAsync(http, management);
        var after = before;
        await LoadGenerator.AtFullSpeedAsync(port, request, Connections, TimeSpan.FromSeconds(5));
        after = await ReadAsync(http, management);
        Console.WriteLine(FormattableString.Invariant($"{(after.Allocated - before.Allocated) / (after.Requests - before.Requests):0} bytes allocated per worker load, over {after.Requests - before.Requests:0} loads"));
        folder.Delete(true);
    }

    private static async Task<(double Allocated, double Requests)> ReadAsync(HttpClient http, int management)
    {
        var lines = (await http.GetStringAsync($"http://127.0.0.1:{management}/metrics")).Split('\n');
        double Value(string name, string label) => lines.Where(l => l.StartsWith(name, StringComparison.Ordinal) && l.Contains(label, StringComparison.Ordinal))
            .Sum(static l => double.Parse(l.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
        return (Value("dotnet_gc_heap_total_allocated_bytes_total", ""), Value("bitrix24_placement_duration_seconds_count", "outcome=\"ok\""));
    }

    /// <param name="executable">A published one, or a <c>.dll</c>; null: what was built with this project.</param>
    public static Contender StartService(
        Bitrix24 bitrix, int port, string folder, int? management = null, string? executable = null, string name = "Bitrix24Placements")
    {
        executable ??= System.IO.Path.Combine(AppContext.BaseDirectory, "Bitrix24Placements.dll");
        var isLibrary = executable.EndsWith(".dll", StringComparison.Ordinal);
        return Contender.Start(name, isLibrary ? "dotnet" : executable, isLibrary ? [executable] : [], port, new()
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
            ["Bitrix24__ClientId"] = bitrix.Options.ClientId,
            ["Bitrix24__ClientSecret"] = bitrix.Options.ClientSecret,
            ["Bitrix24__PublicUrl"] = $"http://127.0.0.1:{port}",
            ["Bitrix24__AllowInsecureHttp"] = "true",
            ["Bitrix24__OAuthServers__0"] = bitrix.OAuth.Url,
            ["Logging__LogLevel__Default"] = "Warning",
            ["Management__Port"] = management?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "",
        }, folder);
    }

    /// <summary>Installs the simulated portal, and takes the worker's page as the bytes that all have to send.</summary>
    public static async Task<(byte[] Page, string Policy, LaunchForm Form)> InstallAsync(Bitrix24 bitrix, int port)
    {
        await ReadyAsync(port);
        var portal = bitrix.Portals[0];
        await portal.SendAsync(portal.InstallFields(handler: $"http://127.0.0.1:{port}/install"), "application/json");
        var form = portal.LaunchFields("PAGE_BACKGROUND_WORKER", uri: "/company/personal/user/1/blog/", handler: $"http://127.0.0.1:{port}{Path}");
        using var answer = await portal.SendAsync(form);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadAsByteArrayAsync(), string.Join(' ', answer.Headers.GetValues("Content-Security-Policy")), form);
    }

    public static async Task ReadyAsync(int port)
    {
        using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}") };
        for (var i = 0; i < 600; i++, await Task.Delay(20))
        {
            try
            {
                if ((await http.GetAsync("/health/ready")).StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
            }
        }
    }

    private static async Task<Contender?> StartNodeAsync(string token, byte[] page, string policy)
    {
        var folder = System.IO.Path.Combine(AppContext.BaseDirectory, "node");
        try
        {
            if (!Directory.Exists(System.IO.Path.Combine(folder, "node_modules")))
            {
                using var install = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("npm", "install --no-audit --no-fund --no-package-lock") { WorkingDirectory = folder, RedirectStandardOutput = true })!;
                await install.WaitForExitAsync();
            }

            var port = Contender.FreePort();
            return Contender.Start("Node + Express", "node", ["server.js", $"{port}", token, Convert.ToBase64String(page), policy], port, new() { ["NODE_ENV"] = "production" }, folder);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Console.Error.WriteLine("There is no Node here: it is left out.");
            return null;
        }
    }

    public static string Encode(IEnumerable<KeyValuePair<string, string>> fields) =>
        string.Join('&', fields.Select(static f => Uri.EscapeDataString(f.Key) + "=" + Uri.EscapeDataString(f.Value)));

    private static void Print(List<Contender> contenders, Dictionary<string, List<LoadResult>> full, Dictionary<string, List<LoadResult>> paced, double rate)
    {
        var table = new StringBuilder();
        table.AppendLine(FormattableString.Invariant($"| | requests/s | against bare Kestrel | p99 at full speed, ms | p50 at {rate:0}/s, ms | p99 at {rate:0}/s, ms | memory, MiB | failed |"));
        table.AppendLine("|---|---|---|---|---|---|---|---|");
        foreach (var contender in contenders)
        {
            var (f, p) = (full[contender.Name], paced[contender.Name]);
            // A ratio within its own round: rounds differ more than contenders do.
            var ratio = Median(f.Select((r, i) => r.PerSecond / full["bare Kestrel"][i].PerSecond));
            table.AppendLine(FormattableString.Invariant(
                $"| {contender.Name} | {Median(f.Select(static r => r.PerSecond)):0} | {ratio:0.00} | {Median(f.Select(static r => r.P99)):0.0} | {Median(p.Select(static r => r.P50)):0.00} | {Median(p.Select(static r => r.P99)):0.0} | {contender.ResidentMiB} | {f.Concat(p).Sum(static r => r.Failures)} |"));
        }

        Console.Write(table);
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
