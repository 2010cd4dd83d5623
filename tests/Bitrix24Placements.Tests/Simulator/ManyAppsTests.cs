using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using static Bitrix24Placements.Tests.Simulator.Asking;

namespace Bitrix24Placements.Tests.Simulator;

public sealed class ManyAppsTests : IAsyncLifetime
{
    private Bitrix24 _bitrix = null!;

    private SimPortal Portal => _bitrix.Portals[0];

    public async ValueTask InitializeAsync() => _bitrix = await Bitrix24.StartAsync();

    public ValueTask DisposeAsync() => _bitrix.DisposeAsync();

    [Fact]
    public async Task Each_app_has_tokens_of_its_own_and_app_info_says_whose_they_are()
    {
        var other = Portal.AddApp("local.other.1", "other-secret");

        var mine = await _bitrix.AppInfoAsync(Portal.IssueTokens(1).Access);
        var theirs = await _bitrix.AppInfoAsync(Portal.IssueTokens(2, app: other).Access);

        Assert.Equal(_bitrix.Options.ClientId, (string?)mine["result"]!["client_id"]);
        Assert.Equal("local.other.1", (string?)theirs["result"]!["client_id"]);
        Assert.NotEqual(Portal.App.ApplicationToken, other.ApplicationToken);
    }

    [Fact]
    public async Task A_wrong_secret_a_wrong_token_and_a_token_of_another_app_are_told_apart()
    {
        var app = Portal.App;
        var other = Portal.AddApp();
        var refresh = Portal.IssueTokens(1).Refresh;

        Assert.Equal("invalid_client", ErrorOf(await _bitrix.RefreshAsync(app.ClientId, "wrong", refresh)));
        Assert.Equal("invalid_client", ErrorOf(await _bitrix.RefreshAsync(app.ClientId, other.ClientSecret, refresh)));
        Assert.Equal("invalid_grant", ErrorOf(await _bitrix.RefreshAsync(app.ClientId, app.ClientSecret, "made-up")));
        Assert.Equal("WRONG_CLIENT", ErrorOf(await _bitrix.RefreshAsync(other.ClientId, other.ClientSecret, refresh)));
        Assert.NotNull((await _bitrix.RefreshAsync(app.ClientId, app.ClientSecret, refresh))["access_token"]);
    }

    [Fact]
    public async Task After_a_rotation_only_the_new_secret_works_on_every_portal()
    {
        var second = await _bitrix.AddPortalAsync(TestContext.Current.CancellationToken);
        var old = Portal.App.ClientSecret;

        var secret = _bitrix.RotateSecret(Portal.App.ClientId);

        Assert.Equal("invalid_client", ErrorOf(await _bitrix.RefreshAsync(Portal.App.ClientId, old, Portal.IssueTokens(1).Refresh)));
        Assert.NotNull((await _bitrix.RefreshAsync(Portal.App.ClientId, secret, second.IssueTokens(1).Refresh))["access_token"]);
    }

    [Fact]
    public async Task No_app_sees_or_removes_what_another_has_registered()
    {
        var other = Portal.AddApp();
        var handler = new JsonObject { ["PLACEMENT"] = "REST_APP_URI", ["HANDLER"] = "http://127.0.0.1/link" };
        var @event = new JsonObject { ["event"] = "OnCrmDealAdd", ["handler"] = "http://127.0.0.1/events" };
        foreach (var app in new[] { Portal.App, other })
        {
            await Portal.CallAsync("placement.bind", handler, app: app);
            await Portal.CallAsync("event.bind", @event, app: app);
        }

        await Portal.CallAsync("placement.unbind", new() { ["PLACEMENT"] = "REST_APP_URI" }, app: other);
        await Portal.CallAsync("event.unbind", new() { ["event"] = "ONCRMDEALADD" }, app: other);

        Assert.Single((await Portal.CallAsync("placement.get"))["result"]!.AsArray());
        Assert.Single((await Portal.CallAsync("event.get"))["result"]!.AsArray());
        Assert.Empty((await Portal.CallAsync("placement.get", app: other))["result"]!.AsArray());
        Assert.Empty((await Portal.CallAsync("event.get", app: other))["result"]!.AsArray());
    }

    [Fact]
    public async Task An_app_is_removed_without_the_others()
    {
        var other = Portal.AddApp();
        var mine = Portal.IssueTokens(1).Access;
        var theirs = Portal.IssueTokens(1, app: other).Access;
        Portal.Register("LEFT_MENU", "http://127.0.0.1/a");
        Portal.Register("LEFT_MENU", "http://127.0.0.1/b", app: other);

        await Portal.UninstallAsync(app: other, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Null(ErrorOf(await Portal.CallAsync("profile", token: mine)));
        Assert.Equal("invalid_token", ErrorOf(await Portal.CallAsync("profile", token: theirs)));
        Assert.Equal("http://127.0.0.1/a", Assert.Single(Portal.Placements).Handler);
    }

    [Fact]
    public void Launches_and_links_are_made_for_the_app_that_is_meant()
    {
        var other = Portal.AddApp();
        Portal.Register("REST_APP_URI", "http://127.0.0.1/mine");
        Portal.Register("REST_APP_URI", "http://127.0.0.1/theirs", app: other);

        var launch = Portal.LaunchFields("REST_APP_URI", app: other);
        var link = Portal.LinkFields($"/marketplace/view/{other.Code}/?params[docId]=42");

        Assert.Equal("/theirs", launch.Handler.AbsolutePath);
        Assert.Equal(other.ApplicationToken, launch.Body["APPLICATION_TOKEN"]);
        Assert.Equal("/theirs", link!.Handler.AbsolutePath);
    }
}
