using Bitrix24Placements.BrowserTests.Harness;
using Deque.AxeCore.Playwright;

namespace Bitrix24Placements.BrowserTests;

public sealed class DoctorTests(Chromium chromium) : BrowserTest(chromium)
{
    [Theory]
    [InlineData("en", "Examine", "Nothing is wrong.")]
    [InlineData("ru", "Проверить", "Проблем не обнаружено.")]
    [InlineData("de", "Untersuchen", "Es fehlt nichts.")]
    [InlineData("la", "Examinar", "Todo está bien.")]
    [InlineData("br", "Examinar", "Está tudo certo.")]
    public async Task An_administrator_sees_each_check_as_it_ends(string lang, string button, string healthy)
    {
        var context = await NewContextAsync(new() { ReducedMotion = ReducedMotion.Reduce, ViewportSize = new() { Width = 1280, Height = 900 } });
        var tab = await OpenAsync(lang: lang, context: context);
        await tab.OpenAppAsync();
        await tab.App.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
        await Expect(tab.App.Locator("#diagnosis")).ToHaveTextAsync(healthy, new() { Timeout = 30_000 });
        await Expect(tab.App.Locator("#examined li")).ToHaveCountAsync(12);
        await LookAtAsync(tab.Page, "doctor-" + lang);
        var axe = await tab.Page.RunAxe();
        Assert.Empty(axe.Violations.Select(static v => $"{v.Id}: {v.Help}"));
    }

    [Fact]
    public async Task An_employee_has_no_button()
    {
        var tab = await OpenAsync(userId: 2, lang: "en");
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#tokens")).ToBeVisibleAsync();
        await (await tab.AppFrameAsync()).UntilAsync("() => window.BX24");
        await Expect(tab.App.Locator("#examine")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_worker_says_once_an_hour_that_it_runs()
    {
        var tab = await OpenAsync(userId: 2, lang: "en");
        foreach (var page in new[] { "/crm/", "/tasks/", "/stream/" })
            await tab.GoToAsync(page, 2, "en");
        await EventuallyAsync(() => Portal.Push.Connections(2) > 0, "the worker listens");
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#heartbeat")).ToHaveAttributeAsync("data-count", "1");
    }
}
