using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Rest;

public sealed class MovedPortalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_renamed_portal_is_followed_with_the_POST_and_its_address_is_kept()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.Rename("localhost");

        var sent = await service.Get<RestClient>().CallAsync(service.Portal.Id, new RestCall("pull.application.event.add", new JsonObject { ["COMMAND"] = "moved" }), Token);

        Assert.True(sent.Ok, sent.Error?.ToString());
        Assert.Equal("moved", (string)service.Portal.Calls[^1].Params["COMMAND"]!);
        Assert.Equal("localhost", (await service.StoredAsync()).ClientEndpoint.Host);
        var asked = service.Bitrix.OAuth.Calls.Count;
        Assert.True((await service.CallAsync("placement.list")).Ok);
        Assert.Equal(asked, service.Bitrix.OAuth.Calls.Count);
    }

    [Fact]
    public async Task A_portal_that_is_renamed_while_its_token_has_expired_is_followed_too()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.Rename("localhost");
        service.Portal.ExpireTokens();

        Assert.True((await service.CallAsync("placement.list")).Ok);
        Assert.Equal(1, service.Bitrix.OAuth.Refreshes);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_that_the_OAuth_server_does_not_vouch_for_gets_no_token(int status)
    {
        await using var service = await RestTest.StartAsync();
        var thief = await service.Bitrix.AddPortalAsync(Token);
        service.Bitrix.Faults.Set("rest:placement.list", Fault.Redirect(thief.Url + "/rest/placement.list", status), service.Portal);

        var result = await service.CallAsync("placement.list");

        Assert.Equal("bitrix24Unavailable", result.Error!.Code);
        Assert.Empty(thief.Calls);
        Assert.Equal("127.0.0.1", (await service.StoredAsync()).ClientEndpoint.Host);
    }

    [Fact]
    public async Task A_new_address_outside_the_allowed_portals_is_not_followed()
    {
        var settings = RestTest.Unlimited;
        settings["Bitrix24:AllowedPortals:0"] = "127.0.0.1";
        await using var service = await Service.StartInstalledAsync(settings);
        service.Portal.Rename("localhost");
        var calls = service.Portal.Calls.Count;

        Assert.False((await service.CallAsync("placement.list")).Ok);

        Assert.Equal(calls, service.Portal.Calls.Count);
        Assert.Equal("127.0.0.1", (await service.StoredAsync()).ClientEndpoint.Host);
    }

    [Fact]
    public async Task A_circle_of_redirects_ends()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:placement.list", Fault.Redirect(service.Portal.Url + "/rest/placement.list"));

        Assert.Equal("bitrix24Unavailable", (await service.CallAsync("placement.list")).Error!.Code);
        Assert.Equal(2, service.Outcomes("placement.list").Length);
    }
}
