using Bitrix24Placements.BrowserTests.Harness;
using Deque.AxeCore.Playwright;

namespace Bitrix24Placements.BrowserTests;

public sealed class AccessibilityTests(Chromium chromium) : BrowserTest(chromium)
{
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Axe_finds_nothing_wrong(ColorScheme scheme)
    {
        // Without motion: axe measures contrast, and a page that is just appearing has none.
        var context = await NewContextAsync(new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce, ViewportSize = new() { Width = 1280, Height = 900 } });
        var tab = await OpenAsync(userId: 2, lang: "en", context: context);
        var found = new List<string>();

        await tab.OpenLinkAsync($"/marketplace/view/{Portal.App.ClientId}/?params[docId]=42&params[filter][stage]=NEW", userId: 2);
        await tab.App.Locator("#context summary").ClickAsync();
        await Expect(tab.App.Locator("#context pre")).ToBeVisibleAsync();
        await Expect(tab.App.Locator("#close")).ToBeVisibleAsync();
        await LookAsync("link", tab.Page, found);
        await tab.GoToAsync("/stream/", 2);
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#tokens")).ToBeVisibleAsync();
        await LookAsync("app", tab.Page, found);
        await Portal.InstallAsync(cancellationToken: Cancellation);
        await tab.GoToAsync("/stream/", 2);
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#retry")).ToBeVisibleAsync();
        await LookAsync("install", tab.Page, found);
        await tab.Page.GotoAsync(Service.Url.AbsoluteUri);
        await LookAsync("home", tab.Page, found);

        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Fact]
    public async Task Everything_can_be_reached_and_done_with_the_keyboard()
    {
        var tab = await OpenAsync(userId: 2, lang: "en");
        await tab.Page.GetByTestId("deep-link-1").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Expect(tab.App.Locator("#close")).ToBeVisibleAsync();
        await TabToAsync(tab, "#context summary");
        await tab.Page.Keyboard.PressAsync("Enter");
        await Expect(tab.App.Locator("#context pre")).ToBeVisibleAsync();
        await TabToAsync(tab, "#close");
        await tab.Page.Keyboard.PressAsync("Enter");
        await Expect(tab.Sliders).ToHaveCountAsync(0);
        await Expect(tab.Page.GetByTestId("deep-link-1")).ToBeFocusedAsync();

        await tab.Page.GetByTestId("menu-app").FocusAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Expect(tab.App.Locator("#link-form")).ToBeVisibleAsync();
        await TabToAsync(tab, "#link-form [name=value]");
        await tab.Page.Keyboard.TypeAsync("43");
        await TabToAsync(tab, "#link-form button");
        await tab.Page.Keyboard.PressAsync("Space");
        await Expect(tab.App.Locator("#link-status")).ToHaveTextAsync("The link is ready.");
        await Expect(tab.App.Locator("#link")).ToHaveValueAsync($"/marketplace/view/{Portal.App.ClientId}/?params[docId]=43");
        await TabToAsync(tab, "#link");
        await TabToAsync(tab, "#copy");
    }

    [Fact]
    public async Task Escape_closes_the_slider()
    {
        var tab = await OpenAsync();
        await tab.Page.GetByTestId("deep-link-1").ClickAsync();
        await Expect(tab.App.Locator("main")).ToBeVisibleAsync();

        await tab.Page.Keyboard.PressAsync("Escape");

        await Expect(tab.Sliders).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData("en")]
    [InlineData("ru")]
    [InlineData("de")]
    public async Task At_320_pixels_nothing_has_to_be_scrolled_sideways(string lang)
    {
        // What a phone leaves of its width: the portal takes 46 pixels beside the slider, and the simulator's closed panel as many.
        var context = await NewContextAsync(new() { ViewportSize = new() { Width = 412, Height = 700 } });
        var tab = await OpenAsync(userId: 2, lang: lang, context: context);
        await tab.OpenLinkAsync($"/marketplace/view/{Portal.App.ClientId}/?params[docId]=42&params[{new string('w', 60)}]={new string('m', 300)}", 2, lang);
        await tab.App.Locator("#context summary").ClickAsync();
        await FitsAsync(tab, "link");
        await tab.GoToAsync("/stream/", 2, lang);
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#tokens")).ToBeVisibleAsync();
        await FitsAsync(tab, "app");
        await Portal.InstallAsync(cancellationToken: Cancellation);
        await tab.GoToAsync("/stream/", 2, lang);
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#retry")).ToBeVisibleAsync();
        await FitsAsync(tab, "install");

        await tab.Page.SetViewportSizeAsync(320, 700);
        await tab.Page.GotoAsync(Service.Url.AbsoluteUri);
        Assert.Equal(320, await tab.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
    }

    private async Task FitsAsync(PortalTab tab, string name)
    {
        await LookAtAsync(tab.Page, name);
        var app = await tab.AppFrameAsync();
        Assert.Equal(320, await app.EvaluateAsync<int>("() => innerWidth"));
        Assert.True(await app.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), await app.TitleAsync());
    }

    private static async Task TabToAsync(PortalTab tab, string selector)
    {
        var app = await tab.AppFrameAsync();
        for (var i = 0; i < 25; i++)
        {
            await tab.Page.Keyboard.PressAsync("Tab");
            if (await app.EvaluateAsync<bool>("selector => document.hasFocus() && document.activeElement.matches(selector) && document.activeElement.matches(':focus-visible')", selector))
                return;
        }

        Assert.Fail($"{selector} cannot be reached with Tab.");
    }

    private async Task LookAsync(string name, IPage page, List<string> found)
    {
        await LookAtAsync(page, name);
        var result = await page.RunAxe();
        // Of all frames: else the pages in them would pass unseen.
        if (name != "home")
            Assert.Contains(result.Passes.SelectMany(static rule => rule.Nodes), static node => node.Html?.Contains("<main", StringComparison.Ordinal) == true && node.Target.ToString()!.Contains("iframe", StringComparison.Ordinal));
        found.AddRange(result.Violations.SelectMany(violation => violation.Nodes.Select(node => $"{name}: {violation.Id}: {violation.Help}: {node.Target} {node.Html}")));
    }
}
