using Bitrix24Placements.BrowserTests.Harness;

namespace Bitrix24Placements.BrowserTests;

public sealed class SimulatorPicture(Chromium chromium) : BrowserTest(chromium)
{
    /// <summary><c>SCREENSHOT_TO=docs/simulator.png</c> makes the README's picture anew.</summary>
    [Fact]
    public async Task The_picture_of_the_README_is_taken()
    {
        var target = Environment.GetEnvironmentVariable("SCREENSHOT_TO");
        var tab = await OpenAsync(userId: 1, lang: "en");
        await EventuallyAsync(() => Portal.Push.Connections(1) == 1, "the worker listens");
        await tab.Lever("signal-params").FillAsync("""{"docId":"42","customer":"Dana Client","bx24_title":"Document 42","bx24_width":450}""");
        await tab.Lever("signal").ClickAsync();
        await Expect(tab.App.Locator("#parameters")).ToBeVisibleAsync();
        await Expect(tab.Workers).ToHaveCountAsync(2);
        await Expect(tab.Workers.Last).ToHaveAttributeAsync("data-loaded", "true");
        await Expect(tab.Page.GetByTestId("log-entry").Filter(new() { HasText = "openApplication" }).Last).ToBeAttachedAsync();
        await tab.Lever("install-wizard").ScrollIntoViewIfNeededAsync();
        await Expect(tab.Page.GetByTestId("log-entry").Last).ToBeVisibleAsync();

        var picture = await tab.Page.ScreenshotAsync(new() { Animations = ScreenshotAnimations.Disabled });

        Assert.InRange(picture.Length, 10_000, 300 * 1024);
        if (target is not null)
            await File.WriteAllBytesAsync(Path.Combine(Repository, target), picture, Cancellation);
    }
}
