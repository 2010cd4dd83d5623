using System.Text.Json;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.BrowserTests.Harness;

/// <summary>One tab of the simulated portal, as the person in front of it uses it.</summary>
public sealed class PortalTab(IPage page, BrowserTest test)
{
    public IPage Page => page;

    public ILocator Sliders => page.GetByTestId("slider");

    public ILocator Workers => page.GetByTestId("worker-frame");

    /// <summary>The frame of the app in the topmost slider.</summary>
    public ILocator AppFrame => page.GetByTestId("app-frame").Last;

    /// <summary>What is in that frame.</summary>
    public IFrameLocator App => AppFrame.ContentFrame;

    public ILocator Lever(string name) => page.GetByTestId($"lever-{name}");

    public async Task GoToAsync(string path, int userId = 1, string? lang = null)
    {
        await page.GotoAsync($"{test.Portal.Url}{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}user={userId}{(lang is null ? "" : $"&lang={lang}")}");
        await Expect(page.Locator("html[data-ready]")).ToBeAttachedAsync();
    }

    public async Task FollowMenuAsync(string entry, string path)
    {
        await page.GetByTestId(entry).ClickAsync();
        await page.WaitForURLAsync($"**{path}");
        await Expect(page.Locator("html[data-ready]")).ToBeAttachedAsync();
    }

    /// <summary>The install wizard before the installation has been finished, the app's own page afterwards.</summary>
    public Task OpenAppAsync() => page.GetByTestId("menu-app").ClickAsync();

    /// <summary>A deep link, followed by opening its address.</summary>
    public async Task OpenLinkAsync(string path, int userId = 1, string? lang = null)
    {
        await GoToAsync(path, userId, lang);
        await Expect(App.Locator("main")).ToBeVisibleAsync();
    }

    /// <summary>Rows of the page behind a deep link.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ParametersAsync()
    {
        await Expect(App.Locator("h1")).ToBeVisibleAsync();
        var rows = await App.Locator("tbody tr").EvaluateAllAsync<JsonElement>("rows => rows.map(row => [row.cells[0].textContent, row.cells[1].textContent])");
        return rows.EnumerateArray().ToDictionary(static row => row[0].GetString()!, static row => row[1].GetString()!);
    }

    /// <summary>In the app's frame of the topmost slider.</summary>
    public async Task<IFrame> AppFrameAsync()
    {
        await Expect(AppFrame).ToHaveAttributeAsync("data-loaded", "true");
        return (await (await AppFrame.ElementHandleAsync()).ContentFrameAsync())!;
    }

    public async Task<IFrame> WorkerFrameAsync()
    {
        await Expect(Workers.First).ToHaveAttributeAsync("data-loaded", "true");
        return (await (await Workers.First.ElementHandleAsync()).ContentFrameAsync())!;
    }

    /// <summary>As any page can: submits a launch into a frame of this document.</summary>
    public Task SubmitAsync(LaunchForm form) => page.EvaluateAsync(
        """
        ({ action, fields, name }) => {
          const frame = Object.assign(document.createElement('iframe'), { name });
          frame.dataset.testid = 'submitted';
          const form = Object.assign(document.createElement('form'), { method: 'post', action, target: name });
          for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
          document.body.append(frame, form);
          form.submit();
        }
        """,
        new { action = form.Action.AbsoluteUri, fields = form.Body, name = form.WindowName });
}

public static class FrameExtensions
{
    /// <summary>Asks every 50 ms: Playwright's own way asks when something is drawn, and nothing is drawn in a hidden frame.</summary>
    public static Task UntilAsync(this IFrame frame, string condition, object? argument = null) =>
        frame.WaitForFunctionAsync(condition, argument, new() { PollingInterval = 50 });
}
