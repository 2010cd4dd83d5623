using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>What anybody learns of the service's health, and what its operator does.</summary>
public sealed class HealthTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Counts_are_told_on_the_management_port_alone_whatever_the_Host_header_says()
    {
        var management = Service.FreePort().ToString(CultureInfo.InvariantCulture);
        await using var process = await ServiceProcess.StartAsync(new() { ["Management:Port"] = management });

        var told = await process.Http.GetStringAsync("/health/ready", Token);
        Assert.Equal("{\"status\":\"ready\",\"configured\":false}\n", told);
        using var disguised = new HttpRequestMessage(HttpMethod.Get, "/health/ready") { Headers = { Host = $"127.0.0.1:{management}" } };
        using var answer = await process.Http.SendAsync(disguised, Token);
        Assert.Equal(told, await answer.Content.ReadAsStringAsync(Token));

        using var http = new HttpClient();
        using var counted = await http.GetAsync($"http://127.0.0.1:{management}/health/ready", Token);
        var counts = await Service.JsonAsync(counted);
        Assert.Equal((0, 0), ((int?)counts["portals"]?["installed"], (int?)counts["events"]?["failed"]));
        Assert.Empty(counts["appsWithWrongKeys"]!.AsArray());
        using var page = await http.GetAsync($"http://127.0.0.1:{management}/", Token);
        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("*", true)]
    public async Task The_management_port_listens_on_loopback_unless_it_is_told_otherwise(string? address, bool isReached)
    {
        var own = NetworkInterface.GetAllNetworkInterfaces().SelectMany(static n => n.GetIPProperties().UnicastAddresses)
            .FirstOrDefault(static a => a.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && !IPAddress.IsLoopback(a.Address));
        Assert.SkipWhen(own is null, "This machine has no address but loopback.");
        var management = Service.FreePort();
        await using var process = await ServiceProcess.StartAsync(new() { ["Management:Port"] = $"{management}", ["Management:Address"] = address });
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5) });
        var asked = http.GetAsync($"http://{own.Address}:{management}/health/live", Token);
        if (isReached)
            Assert.Equal(HttpStatusCode.OK, (await asked).StatusCode);
        else
            await Assert.ThrowsAsync<HttpRequestException>(() => asked);
    }
}
