using System.Globalization;
using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>What is told to whom watches the service, by a process of its own: ports and exporters are set up at its start.</summary>
public sealed class TelemetryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_stand_on_the_management_port_and_nowhere_else()
    {
        var management = Service.FreePort();
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        await using var watched = await StartAsync(bitrix, new() { ["Management:Port"] = management.ToString(CultureInfo.InvariantCulture) });
        await UseAsync(watched.Process, bitrix.Portals[0]);
        using var http = new HttpClient();

        // The first count is made when somebody asks for it.
        Assert.Contains("\"installed\":1", await http.GetStringAsync($"http://127.0.0.1:{management}/health/ready", Token), StringComparison.Ordinal);
        var metrics = await http.GetStringAsync($"http://127.0.0.1:{management}/metrics", Token);

        foreach (var name in new[] { "bitrix24_placement_duration_seconds_bucket", "bitrix24_rest_duration_seconds_count", "bitrix24_oauth_duration_seconds_count", "bitrix24_reconciliations_total", "bitrix24_portals" })
            Assert.Contains(name, metrics, StringComparison.Ordinal);
        Assert.Contains("placement=\"PAGE_BACKGROUND_WORKER\"", metrics, StringComparison.Ordinal);
        Assert.Contains("le=\"5\"", metrics, StringComparison.Ordinal);
        var outgoing = metrics.Split('\n').Where(static l => l.StartsWith("http_client_", StringComparison.Ordinal)).ToList();
        Assert.Contains(outgoing, static l => l.StartsWith("http_client_request_duration_seconds_count", StringComparison.Ordinal));
        Assert.DoesNotContain(outgoing, static l => l.Contains("server_", StringComparison.Ordinal) || l.Contains("127.0.0.1", StringComparison.Ordinal));
        foreach (var name in new[] { "bitrix24_placement_duration_seconds_count", "bitrix24_reconciliations_total" })
            Assert.Matches(name + "\\{[^}]*app=\"default\"", metrics);
        foreach (var name in new[] { "bitrix24_rest_duration_seconds_count", "bitrix24_oauth_duration_seconds_count" })
            Assert.Matches(name + "\\{[^}]*code=\"(ok|Confirmed)\"", metrics);
        Assert.DoesNotContain("code=\"other\"", metrics, StringComparison.Ordinal);
        AssertSaysNothingOf(bitrix, metrics);
        Assert.Equal(HttpStatusCode.NotFound, (await watched.Process.Http.GetAsync("/metrics", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"http://127.0.0.1:{management}/install", Token)).StatusCode);
        using var disguised = new HttpRequestMessage(HttpMethod.Get, new Uri(watched.Process.Url, "/metrics")) { Headers = { Host = $"127.0.0.1:{management}" } };
        Assert.Equal(HttpStatusCode.NotFound, (await http.SendAsync(disguised, Token)).StatusCode);
    }

    [Fact]
    public async Task Metrics_and_traces_go_to_an_OTLP_collector_and_hold_no_secret()
    {
        await using var collector = await Collector.StartAsync();
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        await using var watched = await StartAsync(bitrix, new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "300",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_SERVICE_NAME"] = "placements-of-somebody",
        });
        var portal = bitrix.Portals[0];
        await UseAsync(watched.Process, portal);
        var key = ((string)portal.Placements.Single(static p => p.Placement == "PAGE_BACKGROUND_WORKER").Options["errorHandlerUrl"]!).Split('/')[^1];
        using var removed = await watched.Process.Http.PostAsync($"/placements/page-background-worker/removed/{key}", new FormUrlEncodedContent([new("error", "x")]), Token);
        Assert.Equal(HttpStatusCode.OK, removed.StatusCode);

        await ReceivedAsync(collector, "/v1/metrics", "bitrix24.placement.duration");
        await ReceivedAsync(collector, "/v1/traces", "/placements/page-background-worker/removed/{key}");

        var traces = collector.Received("/v1/traces");
        Assert.Contains("placements-of-somebody", traces, StringComparison.Ordinal);
        Assert.Contains("app.info", traces, StringComparison.Ordinal);
        foreach (var told in new[] { traces, collector.Received("/v1/metrics") })
        {
            AssertSaysNothingOf(bitrix, told);
            Assert.DoesNotContain(key, told, StringComparison.Ordinal);
        }
    }

    /// <summary>Installs, and opens what there is to open.</summary>
    private static async Task UseAsync(ServiceProcess process, SimPortal portal)
    {
        await process.InstallAsync(portal);
        (await process.WorkerAsync(portal)).Dispose();
        (await process.LinkAsync(portal)).Dispose();
        (await process.AppPageAsync(portal)).Dispose();
        Assert.Equal(HttpStatusCode.Accepted, (await process.TrySignalAsync(portal))?.Status);
        Assert.NotNull(await process.HealthAsync());
    }

    private static void AssertSaysNothingOf(Bitrix24 bitrix, string told)
    {
        var portal = bitrix.Portals[0];
        foreach (var secret in new[] { bitrix.Options.ClientSecret, Service.ApiKey, portal.MemberId, portal.App.ApplicationToken, "AUTH_ID", "APP_SID=", "auth=" })
            Assert.DoesNotContain(secret, told, StringComparison.Ordinal);
        foreach (var token in portal.AllTokens)
            Assert.DoesNotContain(token, told, StringComparison.Ordinal);
    }

    private static async Task ReceivedAsync(Collector collector, string path, string text)
    {
        for (var until = DateTime.UtcNow.AddSeconds(20); DateTime.UtcNow < until; await Task.Delay(50, Token))
        {
            if (collector.Received(path).Contains(text, StringComparison.Ordinal))
                return;
        }

        Assert.Fail($"{text} has not come to {path}.");
    }

    private static async Task<Watched> StartAsync(Bitrix24 bitrix, Dictionary<string, string?> settings)
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var port = Service.FreePort();
        bitrix.ServiceUrl = $"http://127.0.0.1:{port}";
        settings["Bitrix24:ClientId"] = bitrix.Options.ClientId;
        settings["Bitrix24:ClientSecret"] = bitrix.Options.ClientSecret;
        settings["Bitrix24:PublicUrl"] = bitrix.ServiceUrl;
        settings["Bitrix24:AllowInsecureHttp"] = "true";
        settings["Bitrix24:OAuthServers:0"] = bitrix.OAuth.Url;
        settings["Signals:ApiKeys:0"] = Service.ApiKey;
        return new(await ServiceProcess.Begin(folder, settings, port).ReadyAsync(), folder);
    }

    private sealed record Watched(ServiceProcess Process, DirectoryInfo Folder) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Process.DisposeAsync();
            Folder.Delete(true);
        }
    }
}
