using System.Net;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>Whose <c>X-Forwarded-*</c> is believed, and what is said of the others.</summary>
public sealed class ProxyTests
{
    [Theory]
    [InlineData("X-Forwarded-For", "192.0.2.7")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("X-Forwarded-Host", "app.example.com")]
    public async Task An_unknown_proxy_is_warned_of_once_whichever_header_it_sends(string name, string value)
    {
        await using var service = await Service.StartAsync(new() { ["ForwardedHeaders:KnownProxies:0"] = "192.0.2.1" });
        for (var i = 0; i < 3; i++)
            await SendAsync(service, name, value);
        Assert.Single(service.Logs, static l => l.Contains("X-Forwarded", StringComparison.Ordinal) && l.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("X-Forwarded-For", "192.0.2.7")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("X-Forwarded-Host", "app.example.com")]
    public async Task A_known_proxy_is_not_warned_of(string name, string value)
    {
        await using var service = await Service.StartAsync();
        await SendAsync(service, name, value);
        Assert.DoesNotContain(service.Logs, static l => l.Contains("X-Forwarded", StringComparison.Ordinal));
    }

    private static async Task SendAsync(Service service, string name, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live");
        request.Headers.Add(name, value);
        using var answer = await service.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
