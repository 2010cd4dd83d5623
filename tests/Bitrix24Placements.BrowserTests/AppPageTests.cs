using System.Text.Json.Nodes;
using Bitrix24Placements.BrowserTests.Harness;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.BrowserTests;

public sealed class AppPageTests(Chromium chromium) : BrowserTest(chromium)
{
    [Fact]
    public async Task A_link_made_on_the_page_opens_what_it_says()
    {
        var tab = await OpenAsync(userId: 2, lang: "en");
        await tab.OpenAppAsync();
        await tab.App.GetByLabel("Parameter").FillAsync("номер");
        await tab.App.GetByLabel("Value").FillAsync("A&B = 100% #1");

        await tab.App.GetByRole(AriaRole.Button, new() { Name = "Make the link" }).ClickAsync();

        await Expect(tab.App.Locator("#link-status")).ToHaveTextAsync("The link is ready.");
        var link = await tab.App.Locator("#link").InputValueAsync();
        Assert.StartsWith($"/marketplace/view/{Portal.App.ClientId}/?params[", link, StringComparison.Ordinal);
        await tab.OpenLinkAsync(link, userId: 3);
        Assert.Equal(new Dictionary<string, string> { ["номер"] = "A&B = 100% #1" }, await tab.ParametersAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_link_is_copied_also_where_the_frame_may_not_use_the_clipboard(bool allowed)
    {
        var context = await NewContextAsync();
        await context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        var tab = await OpenAsync(lang: "en", context: context);
        await tab.OpenAppAsync();
        var app = await tab.AppFrameAsync();
        await app.UntilAsync("() => window.BX24");
        if (!allowed)
            await app.EvaluateAsync("() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }");

        await tab.App.GetByRole(AriaRole.Button, new() { Name = "Copy" }).ClickAsync();

        await Expect(tab.App.Locator("#link-status")).ToHaveTextAsync("Copied");
        Assert.Equal(await tab.App.Locator("#link").InputValueAsync(), await tab.Page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));
        Assert.Equal("copy", await app.EvaluateAsync<string>("() => document.activeElement.id"));
    }

    [Fact]
    public async Task Dead_tokens_are_shown_to_employees_and_renewed_by_an_administrator()
    {
        var tab = await OpenAsync(userId: 2, lang: "en");
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#tokens")).ToHaveAttributeAsync("data-state", "good");
        Portal.ExpireTokens();
        Service.Bitrix.Faults.Next("oauth:token", Fault.Error("invalid_grant"));
        using (await Service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = Portal.MemberId, ["command"] = "refresh" }))
        {
            await tab.GoToAsync("/stream/", 2, "en");
            await tab.OpenAppAsync();
            await Expect(tab.App.Locator("#tokens")).ToHaveAttributeAsync("data-state", "dead");
            await Expect(tab.App.Locator("#tokens")).ToContainTextAsync("As soon as an administrator of the portal opens this page, they are renewed.");
        }

        await tab.GoToAsync("/stream/", 1, "en");
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#tokens")).ToBeVisibleAsync();

        await Service.EventuallyAsync(
            async () =>
            {
                using var page = await Service.AppPageAsync(userId: 2);
                return (await page.Content.ReadAsStringAsync(Cancellation)).Contains("data-state=\"good\"", StringComparison.Ordinal);
            },
            "tokens are good again");
    }

    [Fact]
    public async Task The_page_shows_the_placements_of_this_portal()
    {
        var tab = await OpenAsync(lang: "en");

        await tab.OpenAppAsync();

        await Expect(tab.App.Locator("tr[data-placement]")).ToHaveTextAsync(["Open by linkREST_APP_URI registered", "Background workerPAGE_BACKGROUND_WORKER registered"]);
        await Expect(tab.App.Locator(".plot")).ToBeVisibleAsync();
    }
}
