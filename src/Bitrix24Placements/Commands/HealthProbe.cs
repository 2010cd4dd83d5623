namespace Bitrix24Placements.Commands;

/// <summary>For a container without shell and curl.</summary>
internal static class HealthProbe
{
    /// <summary>Below that of the image's HEALTHCHECK, so that a silent service is told from a slow probe.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

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

    /// <summary>Its first http port.</summary>
    private static int Port() =>
        Listening.UrlsIn(new ConfigurationBuilder()
                .AddEnvironmentVariables("DOTNET_").AddEnvironmentVariables("ASPNETCORE_").AddEnvironmentVariables().Build())
            .Where(url => url.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
            .Select(url => BindingAddress.Parse(url).Port).FirstOrDefault(port => port > 0, 5000);
}
