using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Portals;

namespace Bitrix24Placements.Tests.Rest;

/// <summary>A portal whose name leads into the service's own network is not connected to, as the service is configured for the internet.</summary>
public sealed class InternalAddressTests
{
    /// <summary>The one name that means this machine everywhere.</summary>
    private const string Name = "localhost";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, false)]
    [InlineData("*.bitrix24.com", false)]
    [InlineData(Name, true)]
    public async Task Unless_the_operator_has_listed_it(string? allowed, bool contacted)
    {
        using var host = new SilentHost();
        await using var service = await Service.StartAsync(new()
        {
            ["Bitrix24:AllowInsecureHttp"] = "false",
            ["Bitrix24:PublicUrl"] = "https://app.example.com",
            ["Bitrix24:OAuthServers:0"] = "https://oauth.example.com",
            ["Bitrix24:AllowedPortals:0"] = allowed,
        });
        var memberId = TestStore.NewId();
        await service.Get<PortalStore>().InstallAsync(TestStore.Installation(memberId) with { ClientEndpoint = new($"https://{Name}:{host.Port}/rest/"), ReconcileIn = TimeSpan.FromHours(1) }, Token);

        var result = await service.Get<RestClient>().CallAsync(memberId, new RestCall("profile") { Deadline = TimeSpan.FromSeconds(1) }, Token);

        Assert.False(result.Ok);
        Assert.Equal(contacted, host.WasContacted);
    }
}
