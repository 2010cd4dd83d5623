using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.BrowserTests.Harness;

namespace Bitrix24Placements.BrowserTests;

public sealed class SignalTests(Chromium chromium) : BrowserTest(chromium)
{
    private const int Bob = 2;
    private const int Carol = 3;

    [Fact]
    public async Task A_signal_opens_one_slider_of_its_user_whatever_the_number_of_his_tabs()
    {
        PortalTab[] bobs = [await OpenAsync(userId: Bob), await OpenAsync("/crm/", Bob), await OpenAsync("/tasks/", Bob)];
        // In the same browser: the worst neighbour that a user can have.
        var carol = await OpenAsync(userId: Carol);
        await EventuallyAsync(() => Portal.Push.Connections(Bob) == 2 && Portal.Push.Connections(Carol) == 1, "two of Bob's tabs and Carol's listen");

        await SendAsync(new() { ["docId"] = "42", ["title"] = "Счёт & счёт" }, Bob);

        await OpenedAsync(bobs, 1);
        var opened = await FirstWithSliderAsync(bobs);
        var parameters = await ParametersAsync(opened);
        Assert.Equal("42", (string?)parameters["docId"]);
        Assert.Equal("Счёт & счёт", (string?)parameters["title"]);
        Assert.Equal(0, await carol.Sliders.CountAsync());
    }

    [Fact]
    public async Task A_signal_to_nobody_in_particular_reaches_every_user_once()
    {
        PortalTab[] bobs = [await OpenAsync(userId: Bob), await OpenAsync("/crm/", Bob)];
        PortalTab[] carols = [await OpenAsync(userId: Carol, context: await NewContextAsync())];
        await EventuallyAsync(() => Portal.Push.Connections(Bob) == 2 && Portal.Push.Connections(Carol) == 1, "all listen");

        await SendAsync(new() { ["docId"] = "1" });

        await OpenedAsync(bobs, 1);
        await OpenedAsync(carols, 1);
    }

    [Fact]
    public async Task Equal_signals_act_each_for_itself()
    {
        PortalTab[] bobs = [await OpenAsync(userId: Bob), await OpenAsync("/crm/", Bob)];
        await EventuallyAsync(() => Portal.Push.Connections(Bob) == 2, "both listen");

        await SendAsync(new() { ["docId"] = "42" }, Bob);
        await OpenedAsync(bobs, 1);
        await SendAsync(new() { ["docId"] = "42" }, Bob);

        await OpenedAsync(bobs, 2);
    }

    [Fact]
    public async Task When_a_tab_that_listened_is_closed_the_next_signal_still_acts_once()
    {
        List<PortalTab> bobs = [await OpenAsync(userId: Bob), await OpenAsync("/crm/", Bob), await OpenAsync("/tasks/", Bob)];
        await EventuallyAsync(() => Portal.Push.Connections(Bob) == 2, "two of the tabs listen");

        for (var sent = 1; bobs.Count > 1; sent++)
        {
            await bobs[0].Page.CloseAsync();
            bobs.RemoveAt(0);
            var before = await CountAsync(bobs);
            await SendAsync(new() { ["docId"] = sent }, Bob);
            await OpenedAsync(bobs, before + 1);
            var wanted = Math.Min(2, bobs.Count);
            await EventuallyAsync(() => Portal.Push.Connections(Bob) == wanted, $"{wanted} of the remaining tabs listen");
        }
    }

    [Fact]
    public async Task A_slider_opened_by_a_signal_shows_what_it_was_opened_with()
    {
        var bob = await OpenAsync(userId: Bob);
        await EventuallyAsync(() => Portal.Push.Connections(Bob) == 1, "it listens");

        await SendAsync(new() { ["docId"] = "42", ["filter"] = new JsonObject { ["stage"] = "NEW" }, ["bx24_title"] = "Document 42" }, Bob);

        await Expect(bob.Page.GetByTestId("slider-title")).ToHaveTextAsync("Document 42");
        await Expect(bob.App.Locator("#parameters tbody tr")).ToHaveTextAsync(["docId42", "filter{\"stage\":\"NEW\"}"]);
    }

    [Fact]
    public async Task The_lever_of_the_simulator_goes_the_whole_way()
    {
        var alice = await OpenAsync();
        await EventuallyAsync(() => Portal.Push.Connections(1) == 1, "it listens");

        await alice.Lever("signal").ClickAsync();

        await Expect(alice.Page.GetByTestId("lever-status")).ToHaveTextAsync("signal: done");
        Assert.Equal("42", (string?)(await ParametersAsync(alice))["docId"]);
    }

    private async Task SendAsync(JsonObject parameters, params int[] userIds)
    {
        var body = new JsonObject { ["memberId"] = Portal.MemberId, ["command"] = "openApplication", ["params"] = parameters };
        if (userIds.Length > 0)
            body["userIds"] = new JsonArray([.. userIds.Select(static id => (JsonNode)id)]);
        using var answer = await Service.ApiAsync("/api/signals", body);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    /// <summary>As many, and no more after all tabs have had their chance.</summary>
    private async Task OpenedAsync(IReadOnlyList<PortalTab> tabs, int sliders)
    {
        await Service.EventuallyAsync(async () => await CountAsync(tabs) >= sliders, $"{sliders} slider(s)");
        // A second one would come at once, or from a hidden tab after its 400 ms of hesitation.
        await Task.Delay(1000, Cancellation);
        Assert.Equal(sliders, await CountAsync(tabs));
    }

    private static async Task<int> CountAsync(IEnumerable<PortalTab> tabs)
    {
        var count = 0;
        foreach (var tab in tabs)
            count += await tab.Sliders.CountAsync();
        return count;
    }

    private static async Task<PortalTab> FirstWithSliderAsync(IEnumerable<PortalTab> tabs)
    {
        foreach (var tab in tabs)
        {
            if (await tab.Sliders.CountAsync() > 0)
                return tab;
        }

        throw new InvalidOperationException("No tab has a slider.");
    }

    /// <summary>What the page in the slider is told by its own backend.</summary>
    private static async Task<JsonNode> ParametersAsync(PortalTab tab)
    {
        var app = await tab.AppFrameAsync();
        var context = await app.EvaluateAsync<string>(
            "async () => (await fetch(`${document.body.dataset.base}/api/context`, { headers: { Authorization: `Bearer ${document.body.dataset.session}` } })).text()");
        return JsonNode.Parse(context)!["options"]!["parameters"]!;
    }
}
