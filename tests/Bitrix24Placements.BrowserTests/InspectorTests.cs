using Bitrix24Placements.BrowserTests.Harness;
using Deque.AxeCore.Playwright;

namespace Bitrix24Placements.BrowserTests;

/// <summary>The inspector's page in a browser, beside a portal in which somebody works.</summary>
public sealed class InspectorTests(Chromium chromium) : BrowserTest(chromium)
{
    protected override string EnvironmentName => "Development";

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Launches_appear_as_they_happen_and_are_replayed(ColorScheme scheme)
    {
        var context = await NewContextAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = 1100, Height = 700 } });
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(Service.Url, "/inspector").AbsoluteUri);
        await Expect(page.Locator("#log li")).Not.ToHaveCountAsync(0);
        (await Service.WorkerAsync(change: static f => f.Body["APPLICATION_TOKEN"] = "anotherToken")).Dispose();
        (await Service.PostAsync("/events", Portal.EventFields("ONCRMDEALADD"))).Dispose();
        (await Service.LinkAsync(userId: 2)).Dispose();

        await Expect(page.GetByText("403 notVerified: APPLICATION_TOKEN differs from the stored one")).ToBeVisibleAsync();
        // The newest stand first: the replayed one will be before it.
        var launch = page.Locator("li", new() { HasText = "as that of user 2" }).Last;
        await launch.Locator("summary").ClickAsync();
        await Expect(launch.GetByText("AUTH_ID", new() { Exact = true })).ToBeVisibleAsync();
        await launch.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();
        await Expect(launch.GetByRole(AriaRole.Status)).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^Answered 200, [0-9]+ bytes$"));
        await Expect(page.Locator("li", new() { HasText = "as that of user 2" })).ToHaveCountAsync(2);
        Assert.DoesNotContain(Portal.App.ApplicationToken, await page.ContentAsync(), StringComparison.Ordinal);

        var axe = await page.RunAxe();
        Assert.Empty(axe.Violations.SelectMany(static v => v.Nodes.Select(n => $"{v.Id}: {v.Help}: {n.Html}")));
        if (scheme == ColorScheme.Light)
            await PictureAsync(page, "inspector");
    }

    [Theory]
    [InlineData("en", "Local application")]
    [InlineData("ru", "Локальное приложение")]
    public async Task The_simulator_has_a_likeness_of_the_form_of_a_local_app(string lang, string title)
    {
        var context = await NewContextAsync(new() { ViewportSize = new() { Width = 1300, Height = 760 } });
        var tab = await OpenAsync(lang: lang, context: context);
        await tab.GoToAsync("/devops/edit/application/", 1, lang);
        await Expect(tab.Page.GetByTestId("page-title")).ToHaveTextAsync(title);
        Assert.Equal($"{Service.Url.GetLeftPart(UriPartial.Authority)}/install", await tab.Page.Locator(".local-app input").Nth(4).InputValueAsync());
        var axe = await tab.Page.RunAxe();
        Assert.Empty(axe.Violations.SelectMany(static v => v.Nodes.Select(n => $"{v.Id}: {v.Help}: {n.Html}")));
        await PictureAsync(tab.Page, "local-app-" + lang, ".local-app");
    }
}
