using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>ONAPPUSERREADY is sent once, perhaps while nobody can be asked about it.</summary>
public sealed class SystemUserTests
{
    private const string NewToken = "the-new-application-token-00001";

    private static readonly Dictionary<string, string?> Proxy = new() { ["ForwardedHeaders:KnownProxies:0"] = "127.0.0.1" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_tells_of_installations_that_are_kept_takes_the_room_of_no_portals()
    {
        await using var service = await Service.StartInstalledAsync(Proxy);
        var announced = await service.Bitrix.AddPortalAsync(Token);
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        for (var i = 0; i < 50; i++)
        {
            var madeUp = new Dictionary<string, string>(announced.EventFields("ONAPPUSERREADY"))
            {
                ["event"] = "ONAPPINSTALL",
                ["auth[member_id]"] = $"{i:x32}",
                ["auth[access_token]"] = $"made-up-{i}",
            };
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, madeUp, "192.0.2.66"));
            madeUp["event"] = "ONAPPUSERREADY";
            for (var j = 0; j < 5; j++)
                Assert.Equal(j < 3, await StatusAsync(service, madeUp, "192.0.2.66") == HttpStatusCode.OK);
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, service.Portal.EventFields("ONAPPUSERREADY"), "192.0.2.1"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, announced.EventFields("ONAPPINSTALL"), "192.0.2.1"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, announced.EventFields("ONAPPUSERREADY"), "192.0.2.1"));
        service.Bitrix.Faults.Clear();
        await service.EventuallyAsync(async () => (await service.StoredAsync())!.Reserve is not null, "there is a reserve", seconds: 30);
    }

    [Fact]
    public async Task Of_an_address_that_has_failed_too_often_that_of_a_kept_installation_is_heard_too()
    {
        await using var service = await Service.StartAsync(new(Proxy) { ["Limits:UnverifiedPerMinute"] = "5" });
        for (var i = 0; i < 60; i++)
            await StatusAsync(service, new() { ["event"] = "ONX", ["auth[member_id]"] = $"{i:x32}", ["auth[application_token]"] = "x" }, "192.0.2.1");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, service.Portal.EventFields("ONAPPINSTALL"), "192.0.2.1"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, service.Portal.EventFields("ONAPPUSERREADY"), "192.0.2.1"));

        await service.EventuallyAsync(async () => (await service.StoredAsync())?.Reserve is not null, "there is a reserve", seconds: 30);
    }

    /// <summary>Whoever sees the new application_token in his page knows it before the update is confirmed.</summary>
    [Theory]
    [InlineData("event")]
    [InlineData("wizard")]
    public async Task Neither_a_made_up_update_beside_the_genuine_one_nor_other_events_keep_it_from_being_heard(string by)
    {
        await using var service = await Service.StartInstalledAsync(Proxy);
        var goOn = new TaskCompletionSource();
        var asked = service.Portal.Count("profile");
        service.Bitrix.Faults.Set("rest:profile", Fault.Until(goOn.Task));
        Dictionary<string, string> Told(string name) => new(service.Portal.EventFields(name)) { ["auth[application_token]"] = NewToken };
        var updating = StatusAsync(service, Told("ONAPPUPDATE"), "192.0.2.1");
        await service.Portal.Calls.WaitAsync(static c => c.Method == "profile", asked + 1, Token);
        var wizard = service.Wizard();
        (wizard.Body["AUTH_ID"], wizard.Body["APPLICATION_TOKEN"]) = ("made-up", NewToken);
        var madeUp = Told("ONAPPUPDATE");
        madeUp["auth[access_token]"] = "made-up";

        Assert.Equal(HttpStatusCode.Forbidden, by == "wizard"
            ? await StatusAsync(service, new(wizard.Body), "192.0.2.66", wizard.Action.PathAndQuery) : await StatusAsync(service, madeUp, "192.0.2.66"));
        for (var i = 0; i < 20; i++)
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(service, Told("ONNOTHING"), "192.0.2.66"));
        var telling = StatusAsync(service, Told("ONAPPUSERREADY"), "192.0.2.1");
        await Task.Delay(500, Token);
        goOn.SetResult();

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (await updating, await telling));
        Assert.NotNull((await service.StoredAsync())!.Reserve);
    }

    private static async Task<HttpStatusCode> StatusAsync(Service service, Dictionary<string, string> fields, string address, string path = "/events")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Add("X-Forwarded-For", address);
        using var answer = await service.Http.SendAsync(request, Token);
        return answer.StatusCode;
    }
}
