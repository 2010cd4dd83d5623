namespace Bitrix24Placements.Commands;

/// <summary>A container without shell and curl checks itself with it.</summary>
internal static class HealthProbe
{
    /// <summary>Below the time-out of the image's HEALTHCHECK, so that a silent service is told from a slow probe.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    private static readonly string[] Prefixes = ["", "ASPNETCORE_", "DOTNET_"];

    public static string ServiceUrl => $"http://127.0.0.1:{Port()}";

    public static async Task<int> RunAsync()
    {
        var address = new Uri(ServiceUrl + "/health/ready");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout };
        try
        {
            using var answer = await http.GetAsync(address);
            Console.WriteLine(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            Console.WriteLine($"{address} does not answer: {e.Message}");
            return 1;
        }
    }

    /// <summary>The service's first http port, from where the server takes it; addresses come before ports, as they do there.</summary>
    private static int Port() =>
        Entries("URLS").Where(static url => url.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
            .Select(static url => BindingAddress.Parse(url).Port)
            .Concat(Entries("HTTP_PORTS").Select(static port => int.TryParse(port, out var number) ? number : 0))
            .FirstOrDefault(static port => port > 0, 5000);

    private static IEnumerable<string> Entries(string name) =>
        Prefixes.SelectMany(prefix => (Environment.GetEnvironmentVariable(prefix + name) ?? "")
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
