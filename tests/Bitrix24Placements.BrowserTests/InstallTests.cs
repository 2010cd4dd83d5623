using Bitrix24Placements.BrowserTests.Harness;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.BrowserTests;

public sealed class InstallTests(Chromium chromium) : BrowserTest(chromium)
{
    protected override bool Installed => false;

    [Fact]
    public async Task Before_the_installation_is_finished_nobody_sees_a_widget()
    {
        var tab = await OpenAsync(userId: 2);
        await tab.Page.GetByTestId("deep-link-1").ClickAsync();

        await Expect(tab.Page.GetByTestId("slider-notice")).ToContainTextAsync("is not finished");
        await Expect(tab.Workers).ToHaveCountAsync(0);
        await Expect(tab.Page.GetByTestId("app-frame")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task An_administrator_installs_by_clicking_and_watches_it_happen()
    {
        var secondPlacement = new TaskCompletionSource();
        var vendorScript = new TaskCompletionSource();
        Service.Bitrix.Faults.Next("rest:placement.bind", Fault.Delay(TimeSpan.Zero));
        Service.Bitrix.Faults.Next("rest:placement.bind", Fault.Until(secondPlacement.Task));
        Service.Bitrix.Faults.Set("page:/api/v1/", Fault.Until(vendorScript.Task));
        var tab = await OpenAsync(lang: "en");

        await tab.OpenAppAsync();

        var steps = tab.App.Locator(".steps li");
        await Expect(steps).ToHaveCountAsync(1);
        await Expect(tab.App.Locator(".outcome")).ToHaveCountAsync(0);
        secondPlacement.SetResult();
        await Expect(steps).ToHaveTextAsync(["Open by link REST_APP_URI registered", "Background worker PAGE_BACKGROUND_WORKER registered"]);
        await Expect(tab.App.GetByRole(AriaRole.Status)).ToHaveTextAsync("The app is installed.");
        Assert.False(Portal.App.InstallFinished);
        vendorScript.SetResult();
        Service.Bitrix.Faults.Clear("page:/api/v1/");

        // installFinish replaces the wizard by the app's own page.
        await Expect(tab.App.Locator("#tokens")).ToHaveAttributeAsync("data-state", "good");
        Assert.True(Portal.App.InstallFinished);
        await tab.OpenLinkAsync($"/marketplace/view/{Portal.App.ClientId}/?params[docId]=42", userId: 2);
        Assert.Equal("42", (await tab.ParametersAsync())["docId"]);
        await Expect(tab.Workers.First).ToHaveAttributeAsync("data-loaded", "true");
    }

    [Fact]
    public async Task An_employee_is_told_why_not_and_can_try_again_when_he_has_become_an_administrator()
    {
        var tab = await OpenAsync(userId: 2, lang: "en");
        await tab.OpenAppAsync();
        await Expect(tab.App.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The installation is not complete.");
        await Expect(tab.App.Locator(".reason").First).ToContainTextAsync("open this page as an administrator of the portal");
        await Expect(tab.App.Locator(".reason code").First).ToHaveTextAsync("ACCESS_DENIED");
        Assert.False(Portal.App.InstallFinished);
        var first = await tab.AppFrame.GetAttributeAsync("data-app-sid");

        await RetryAsync(tab);
        await Expect(tab.AppFrame).Not.ToHaveAttributeAsync("data-app-sid", first!);
        await Expect(tab.App.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        Portal.SetAdmin(2, true);
        await RetryAsync(tab);

        await Expect(tab.App.Locator("#tokens")).ToHaveAttributeAsync("data-state", "good");
        Assert.True(Portal.App.InstallFinished);
    }

    [Fact]
    public async Task A_refusal_of_Bitrix24_is_explained_and_nothing_is_finished()
    {
        Service.Bitrix.Faults.Set("rest:placement.bind", Fault.Error("insufficient_scope", 403));
        var tab = await OpenAsync(lang: "en");

        await tab.OpenAppAsync();

        await Expect(tab.App.Locator(".steps li.bad .reason").First).ToContainTextAsync("tick the permissions");
        await Expect(tab.App.GetByRole(AriaRole.Button, new() { Name = "Try again" })).ToBeEnabledAsync();
        Assert.False(Portal.App.InstallFinished);
    }

    private static Task RetryAsync(PortalTab tab) => tab.App.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
}
