using Bitrix24Placements.BrowserTests.Harness;

namespace Bitrix24Placements.BrowserTests;

public sealed class WorkerTests(Chromium chromium) : BrowserTest(chromium)
{
    [Fact]
    public async Task The_worker_is_loaded_on_every_page_and_in_every_slider()
    {
        var tab = await OpenAsync(userId: 2);
        foreach (var page in new[] { ("menu-crm", "/crm/"), ("menu-tasks", "/tasks/"), ("menu-profile", "/company/personal/user/2/"), ("menu-feed", "/stream/") })
        {
            await tab.FollowMenuAsync(page.Item1, page.Item2);
            await Expect(tab.Workers).ToHaveCountAsync(1);
            await Expect((await tab.WorkerFrameAsync()).Locator("body[data-module]")).ToBeAttachedAsync();
        }

        await tab.Page.GetByTestId("deep-link-1").ClickAsync();

        await Expect(tab.Workers).ToHaveCountAsync(2);
        await Expect(tab.Workers.Last).ToHaveAttributeAsync("data-loaded", "true");
        await EventuallyAsync(() => Portal.Push.Connections(2) > 0, "the worker listens");
    }

    [Fact]
    public async Task A_page_of_the_portal_in_a_slider_has_its_worker_too()
    {
        var tab = await OpenAsync("/crm/");

        await tab.Page.GetByRole(AriaRole.Link, new() { Name = "Deal 5" }).ClickAsync();

        await Expect(tab.Page.GetByTestId("page-frame").ContentFrame.GetByTestId("worker-frame")).ToHaveAttributeAsync("data-loaded", "true");
    }

    [Fact]
    public async Task A_vendor_script_that_takes_ten_seconds_does_not_delay_the_load_event()
    {
        Portal.Quirks.VendorScriptDelay = TimeSpan.FromSeconds(10);
        var tab = await OpenAsync();
        var delays = new List<double>();
        // The machine may be busy with something else: the best of several.
        for (var i = 0; i < 15 && (i < 3 || delays.Min() > 200); i++)
        {
            await tab.GoToAsync("/crm/");
            var worker = await tab.WorkerFrameAsync();
            await worker.UntilAsync("() => performance.getEntriesByType('navigation')[0].loadEventEnd > 0");
            delays.Add(await worker.EvaluateAsync<double>("() => { const t = performance.getEntriesByType('navigation')[0]; return t.loadEventEnd - t.responseEnd; }"));
            Assert.False(await worker.EvaluateAsync<bool>("() => 'BX24' in window"), "The vendor's script was not slow.");
        }

        Assert.True(delays.Min() < 200, $"Milliseconds from HTML to load event: {string.Join(", ", delays)}");
    }

    [Fact]
    public async Task A_vendor_script_that_does_not_come_at_all_leaves_no_word_in_the_console()
    {
        Service.Bitrix.Faults.Set("page:/api/v1/", PortalSimulator.Fault.Garbage(500));
        var tab = await OpenAsync();

        var worker = await tab.WorkerFrameAsync();
        await worker.UntilAsync("() => performance.getEntriesByType('resource').some(r => r.name.endsWith('/api/v1/'))");

        // Complaints fail the test when it ends.
        await Expect(tab.Page.GetByTestId("page-title")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task After_the_uninstallation_pages_say_so_and_the_worker_is_refused()
    {
        var tab = await OpenAsync(lang: "en");
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("#tokens")).ToBeVisibleAsync();
        var app = await tab.AppFrameAsync();
        await app.UntilAsync("() => window.BX24");
        var late = Portal.LaunchFields("REST_APP_URI", userId: 1, lang: "en");

        await tab.Lever("uninstall").ClickAsync();

        await Expect(tab.Page.GetByTestId("lever-status")).ToHaveTextAsync("uninstall: done");
        await app.EvaluateAsync("() => BX24.reloadWindow()");
        await Expect(tab.Page.GetByTestId("slider-notice")).ToContainTextAsync("is not installed");
        await Service.EventuallyAsync(async () => (int)(await Service.WorkerAsync()).StatusCode == 403, "the worker is refused", 30);
        await tab.GoToAsync("/stream/");
        await Expect(tab.Workers).ToHaveCountAsync(0);
        // A page that was prepared before, submitted after.
        Complaints.Expect(static text => text.Contains("status of 403", StringComparison.Ordinal));
        await tab.SubmitAsync(late);
        await Expect(tab.Page.Locator("iframe[data-testid=submitted]").ContentFrame.Locator("h1")).ToHaveTextAsync("The app is not installed");
        // The browser's own word on the status, and the proof that errors of our pages are heard.
        Assert.NotEmpty(Complaints.Expected);
    }
}
