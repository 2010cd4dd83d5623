using System.Text.Json;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Rest;

/// <summary>Short words for what the tests of the REST client do all the time.</summary>
internal static class RestTest
{
    /// <summary>Limits that no test of something else runs into.</summary>
    public static Dictionary<string, string?> Unlimited => new() { ["Bitrix24:RequestsPerSecond"] = "1000", ["Bitrix24:RequestBurst"] = "1000" };

    public static Task<Service> StartAsync() => Service.StartInstalledAsync(Unlimited);

    public static Task<RestResult<JsonElement>> CallAsync(this Service service, string method, TimeSpan? deadline = null) =>
        service.Get<RestClient>().CallAsync(service.Portal.Id, new RestCall(method) { Deadline = deadline ?? TimeSpan.FromSeconds(30) }, TestContext.Current.CancellationToken);

    public static async Task<Portal> StoredAsync(this Service service)
    {
        var portal = await service.Get<PortalStore>().FindAsync(service.Portal.Id, TestContext.Current.CancellationToken);
        Assert.NotNull(portal);
        return portal;
    }

    /// <summary>Outcomes of a method's calls, as the portal saw them.</summary>
    public static string?[] Outcomes(this Service service, string method) => [.. service.Portal.Calls.Where(call => call.Method == method).Select(static call => call.Outcome)];
}
