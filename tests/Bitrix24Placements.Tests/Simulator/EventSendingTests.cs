using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.Tests.Simulator;

public sealed class EventSendingTests : IAsyncLifetime
{
    private readonly Listening _service = new();
    private Bitrix24 _bitrix = null!;

    private SimPortal Portal => _bitrix.Portals[0];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _bitrix = await Bitrix24.StartAsync(new() { ServiceUrl = _service.Url, InstallFinished = true });

    public async ValueTask DisposeAsync()
    {
        _service.Dispose();
        await _bitrix.DisposeAsync();
    }

    [Fact]
    public async Task A_changed_deal_is_told_to_every_app_that_has_bound_the_event_and_to_no_other()
    {
        var other = Portal.AddApp();
        Portal.AddApp();
        Portal.Bind("ONCRMDEALUPDATE", _service.Url + "/mine");
        Portal.Bind("ONCRMDEALUPDATE", _service.Url + "/theirs", other);

        var deliveries = await Portal.SendEventAsync(
            "OnCrmDealUpdate", new() { ["FIELDS"] = new JsonObject { ["ID"] = 6 } }, userId: 2, cancellationToken: Token);

        Assert.Equal([_service.Url + "/mine", _service.Url + "/theirs"], deliveries.Select(d => d.Url));
        var (first, second) = (await _service.NextAsync(), await _service.NextAsync());
        Assert.All([first, second], fields => Assert.Equal("6", fields["data[FIELDS][ID]"]));
        Assert.All([first, second], fields => Assert.Equal("2", fields["auth[user_id]"]));
        Assert.Equal((Portal.App.ApplicationToken, "1"), (first["auth[application_token]"], first["event_handler_id"]));
        Assert.Equal((other.ApplicationToken, "2"), (second["auth[application_token]"], second["event_handler_id"]));
        Assert.NotEmpty(first["ts"]);
    }

    [Fact]
    public async Task An_app_whose_installation_is_not_finished_is_told_nothing()
    {
        Portal.Bind("ONCRMDEALADD", _service.Url + "/events");
        await Portal.InstallAsync(cancellationToken: Token);
        Portal.Bind("ONCRMDEALADD", _service.Url + "/events");

        Assert.Empty(await Portal.SendEventAsync("ONCRMDEALADD", cancellationToken: Token));
    }

    [Fact]
    public async Task A_finished_installation_is_followed_by_the_system_user_where_the_portal_makes_one()
    {
        Portal.Quirks.MakesSystemUsers = true;
        await Portal.InstallAsync(cancellationToken: Token);

        var delivery = Assert.Single(await Portal.FinishInstallAsync(userId: 4, cancellationToken: Token));

        Assert.Equal(Portal.App.InstallUrl, delivery.Url);
        var fields = await _service.NextAsync();
        Assert.Equal("ONAPPUSERREADY", fields["event"]);
        Assert.Equal((Portal.MemberId, Portal.App.ClientId), (fields["data[member_id]"], fields["data[client_id]"]));
        Assert.Equal((_bitrix.OAuth.Domain, "4"), (fields["data[domain]"], fields["auth[user_id]"]));
        var profile = await Portal.CallAsync("profile", token: fields["data[access_token]"]);
        Assert.Equal(fields["data[user_id]"], (string?)profile["result"]!["ID"]);
        Assert.False((bool)profile["result"]!["ADMIN"]!);
        Assert.Equal("ACCESS_DENIED", Asking.ErrorOf(await Portal.CallAsync("placement.get", token: fields["data[access_token]"])));
    }

    [Fact]
    public async Task The_test_event_brings_what_was_asked()
    {
        Portal.Bind("ONAPPTEST", _service.Url + "/events");

        await Portal.CallAsync("event.test", new() { ["marker"] = "42" });

        var fields = await _service.NextAsync();
        Assert.Equal(("ONAPPTEST", "42"), (fields["event"], fields["data[QUERY][marker]"]));
        Assert.Equal(Portal.App.ApplicationToken, fields["auth[application_token]"]);
    }

    [Fact]
    public async Task Updates_and_wipes_can_come_without_a_word()
    {
        Portal.Quirks.SendsNoUpdates = true;
        Portal.Bind("ONAPPUPDATE", _service.Url + "/events");
        Portal.Register("LEFT_MENU", "http://127.0.0.1/a");
        var before = Portal.App.ApplicationToken;

        Assert.Empty(await Portal.UpdateAsync(cancellationToken: Token));
        Assert.Empty(Portal.Placements);
        Assert.NotEqual(before, Portal.App.ApplicationToken);
        Portal.Register("LEFT_MENU", "http://127.0.0.1/a");
        Portal.WipePlacements();

        Assert.Empty(Portal.Placements);
        Assert.Empty(_service.Heard);
    }

    [Fact]
    public async Task A_removal_notice_comes_with_or_without_auth()
    {
        foreach (var without in new[] { false, true })
        {
            Portal.Quirks.RemovalNoticesWithoutAuth = without;
            var options = new JsonObject { ["errorHandlerUrl"] = _service.Url + "/removed" };
            Portal.Register("PAGE_BACKGROUND_WORKER", "http://127.0.0.1/w", options: options);
            await Portal.RemoveWorkerAsync(cancellationToken: Token);

            var fields = await _service.NextAsync();

            Assert.Equal("ERROR_PLACEMENT_LOADING_OVERTIME", fields["error"]);
            Assert.Equal(without, !fields.Keys.Any(name => name.StartsWith("auth", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task The_Market_asks_every_address_of_the_app_by_HEAD()
    {
        Portal.Register("LEFT_MENU", _service.Url + "/menu");
        Portal.Bind("ONCRMDEALADD", _service.Url + "/events");

        var answers = await Portal.CheckAddressesAsync(cancellationToken: Token);

        Assert.Equal(["/install", "/", "/menu", "/events"], answers.Select(a => new Uri(a.Url).AbsolutePath));
        Assert.All(answers, answer => Assert.True(answer.Accepted));
        Assert.All(_service.Heard, heard => Assert.Equal("HEAD", heard.Method));
    }
}
