using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Portals;
using Microsoft.Extensions.DependencyInjection;

namespace Bitrix24Placements.Tests.Rest;

/// <summary>A proxy connects where the service would have looked: so the name is looked at first.</summary>
public sealed class ProxyTests
{
    private const string Name = "localhost";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, false)]
    [InlineData(Name, true)]
    public async Task A_name_that_leads_inside_is_not_given_to_the_operators_proxy(string? allowed, bool contacted)
    {
        using var proxy = new SilentHost();
        await using var service = await Service.StartAsync(
            new()
            {
                ["Bitrix24:AllowInsecureHttp"] = "false",
                ["Bitrix24:PublicUrl"] = "https://app.example.com",
                ["Bitrix24:OAuthServers:0"] = "https://oauth.example.com",
                ["Bitrix24:AllowedPortals:0"] = allowed,
            },
            services: s => s.AddSingleton(new OutgoingProxy(new WebProxy(proxy.Url))));
        var memberId = TestStore.NewId();
        await service.Get<PortalStore>().InstallAsync(
            TestStore.Installation(memberId) with { ClientEndpoint = new($"https://{Name}:8443/rest/"), ReconcileIn = TimeSpan.FromHours(1) }, Token);

        await service.Get<RestClient>().CallAsync(memberId, new RestCall("profile") { Deadline = TimeSpan.FromSeconds(1) }, Token);

        Assert.Equal(contacted, proxy.WasContacted);
        Assert.Single(service.Logs, l => l.StartsWith("Warning", StringComparison.Ordinal) && l.Contains($"the proxy 127.0.0.1:{proxy.Port}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_proxy_nothing_is_said_of_one()
    {
        await using var service = await Service.StartAsync(services: static s => s.AddSingleton(new OutgoingProxy(new WebProxy())));

        Assert.DoesNotContain(service.Logs, static l => l.Contains("proxy", StringComparison.OrdinalIgnoreCase));
    }
}
