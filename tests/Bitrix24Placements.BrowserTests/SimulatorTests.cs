using Bitrix24Placements.BrowserTests.Harness;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Simulator;

namespace Bitrix24Placements.BrowserTests;

public sealed class SimulatorTests(Chromium chromium) : BrowserTest(chromium)
{
    [Fact]
    public async Task A_deal_has_a_tab_for_every_placement_that_is_bound_and_posts_the_deal_to_it()
    {
        using var app = new Listening();
        Portal.Register("CRM_DEAL_DETAIL_TAB", app.Url + "/tab");
        Portal.Register("CRM_DEAL_DETAIL_TAB", app.Url + "/second", app: Portal.AddApp());
        var tab = await OpenAsync(userId: 2, lang: "de");
        await tab.GoToAsync("/crm/deal/details/5/", 2, "de");
        await Expect(tab.Page.GetByTestId("page-title")).ToHaveTextAsync("Deal 5");
        await Expect(tab.Page.GetByRole(AriaRole.Tabpanel, new() { Name = "General" })).ToContainTextAsync("OPPORTUNITY");
        await Expect(tab.Page.GetByTestId("placement-tab")).ToHaveCountAsync(2);

        await tab.Page.GetByTestId("placement-tab").Last.ClickAsync();

        var posted = await app.NextAsync();
        Assert.Equal("CRM_DEAL_DETAIL_TAB", posted["PLACEMENT"]);
        Assert.Equal("""{"ID":"5"}""", posted["PLACEMENT_OPTIONS"]);
        Assert.Equal(Portal.Apps[1].ApplicationToken, posted["APPLICATION_TOKEN"]);
        await Expect(tab.AppFrame).ToHaveAttributeAsync("data-loaded", "true");
    }

    [Fact]
    public async Task A_deal_opened_from_the_list_has_its_tabs_in_the_slider()
    {
        using var app = new Listening();
        Portal.Register("CRM_DEAL_DETAIL_TAB", app.Url + "/tab");
        var tab = await OpenAsync(lang: "en");
        await tab.FollowMenuAsync("menu-crm", "/crm/");

        await tab.Page.GetByRole(AriaRole.Link, new() { Name = "Deal 6" }).ClickAsync();
        await tab.Page.GetByTestId("page-frame").ContentFrame.GetByTestId("placement-tab").ClickAsync();

        Assert.Equal("""{"ID":"6"}""", (await app.NextAsync())["PLACEMENT_OPTIONS"]);
    }

    [Fact]
    public async Task Any_event_can_be_sent_and_what_came_of_it_stands_beside_its_lever()
    {
        using var app = new Listening();
        var tab = await OpenAsync(userId: 2, lang: "en");
        var told = tab.Page.GetByTestId("lever-status");
        await tab.Lever("event").ClickAsync();
        await Expect(told).ToHaveTextAsync("event: No app that is installed has bound ONCRMDEALADD.");
        Portal.Bind("ONCRMDEALADD", app.Url + "/events");
        await tab.Lever("event-data").FillAsync("""{"FIELDS":{"ID":"6"}}""");

        await tab.Lever("event").ClickAsync();

        await Expect(told).ToHaveTextAsync("event: done");
        await Expect(tab.Page.Locator("fieldset", new() { Has = tab.Lever("event") }).GetByTestId("lever-status")).ToHaveCountAsync(1);
        var posted = await app.NextAsync();
        Assert.Equal(("6", "2"), (posted["data[FIELDS][ID]"], posted["auth[user_id]"]));
        await tab.Lever("expireTokens").ClickAsync();
        await Expect(tab.Page.Locator("fieldset", new() { Has = tab.Lever("expireTokens") }).GetByTestId("lever-status"))
            .ToHaveTextAsync("expireTokens: done");
    }

    [Fact]
    public async Task A_slow_handler_is_covered_by_Loading_until_its_page_is_there()
    {
        var page = new TaskCompletionSource();
        Service.Bitrix.Faults.Set("oauth:app.info", Fault.Until(page.Task));
        var tab = await OpenAsync(userId: 2, lang: "en");
        await tab.Page.GetByTestId("deep-link-1").ClickAsync();
        var loading = tab.Sliders.GetByText("Loading…");
        await Expect(loading).ToBeVisibleAsync();
        var (cover, body) = (await loading.BoundingBoxAsync(), await tab.Page.GetByTestId("slider-body").BoundingBoxAsync());
        Assert.Equal((body!.Width, body.Height), (cover!.Width, cover.Height));

        page.SetResult();

        await Expect(tab.App.Locator("main")).ToBeVisibleAsync();
        await Expect(loading).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Escape_closes_the_slider_also_when_a_lever_has_just_been_pulled()
    {
        var tab = await OpenAsync(userId: 2, lang: "en");
        await tab.Page.GetByTestId("deep-link-1").ClickAsync();
        await Expect(tab.Sliders).ToHaveCountAsync(1);
        await tab.Lever("expireTokens").ClickAsync();

        await tab.Page.Keyboard.PressAsync("Escape");

        await Expect(tab.Sliders).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_portal_waits_for_installFinish_only_while_the_wizard_is_open()
    {
        var tab = await OpenAsync(lang: "en");
        var badge = tab.Page.GetByTestId("badge-installed");
        await Expect(badge).ToHaveTextAsync("installed");
        var script = new TaskCompletionSource();
        Service.Bitrix.Faults.Set("page:/api/v1/", Fault.Until(script.Task));
        await Portal.InstallAsync(cancellationToken: Cancellation);
        await tab.GoToAsync("/stream/");
        await Expect(badge).ToHaveTextAsync("saved: open the application to install it");

        await tab.OpenAppAsync();

        await Expect(badge).ToHaveTextAsync("waiting for installFinish");
        script.SetResult();
        await Expect(badge).ToHaveTextAsync("installed");
    }
}
