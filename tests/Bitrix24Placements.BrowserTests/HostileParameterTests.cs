using System.Text.Json.Nodes;
using Bitrix24Placements.BrowserTests.Harness;

namespace Bitrix24Placements.BrowserTests;

public sealed class HostileParameterTests(Chromium chromium) : BrowserTest(chromium)
{
    private static readonly JsonObject Hostile = new()
    {
        ["<script>top.hacked=1</script>"] = "</td></table><script>window.hacked=1</script>",
        ["\" autofocus onfocus=\"window.hacked=2"] = "<img src=x onerror=\"window.hacked=3\">",
        ["link"] = "javascript:window.hacked=4",
        ["nested"] = new JsonObject { ["</pre><svg onload=window.hacked=5>"] = "<iframe srcdoc='<script>parent.hacked=6</script>'>" },
        ["__proto__"] = "polluted",
        ["constructor"] = "<b>bold</b>",
        ["bx24_title"] = "<script>window.hacked=7</script>",
    };

    [Fact]
    public async Task Script_in_the_parameters_of_a_link_is_text()
    {
        var tab = await OpenAsync();
        tab.Page.Dialog += static (_, dialog) => Assert.Fail(dialog.Message);

        await tab.OpenLinkAsync(Service.Get<DeepLinks>().Path(Hostile));

        var arrived = await tab.ParametersAsync();
        Assert.Equal(Hostile.Select(static p => p.Key).Order(), arrived.Keys.Order());
        Assert.Equal((string?)Hostile["<script>top.hacked=1</script>"], arrived["<script>top.hacked=1</script>"]);
        Assert.Equal("javascript:window.hacked=4", arrived["link"]);
        await tab.App.Locator("#context summary").ClickAsync();
        await Expect(tab.App.Locator("#context pre")).ToContainTextAsync("window.hacked=1");
        await NothingHappenedAsync(tab);
    }

    [Fact]
    public async Task A_URI_that_is_script_is_not_a_link()
    {
        var tab = await OpenAsync();

        await tab.OpenLinkAsync($"/marketplace/view/{Portal.App.ClientId}/?params[URI]={Uri.EscapeDataString("javascript:window.hacked=1")}&params[a]=b");

        await Expect(tab.App.Locator(".facts")).ToContainTextAsync("javascript:window.hacked=1");
        await NothingHappenedAsync(tab);
    }

    [Fact]
    public async Task Script_in_the_parameters_of_a_signal_is_text()
    {
        var tab = await OpenAsync(userId: 2);
        await EventuallyAsync(() => Portal.Push.Connections(2) > 0, "the worker listens");

        // The vendor's Push & Pull client drops a message with a key of this name.
        var parameters = (JsonObject)Hostile.DeepClone();
        parameters.Remove("constructor");
        await Service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = Portal.MemberId, ["command"] = "openApplication", ["params"] = parameters });

        await Expect(tab.App.Locator("#tokens")).ToBeVisibleAsync();
        await NothingHappenedAsync(tab);
    }

    private static async Task NothingHappenedAsync(PortalTab tab)
    {
        foreach (var frame in tab.Page.Frames)
            Assert.False(await frame.EvaluateAsync<bool>("() => 'hacked' in window || 'polluted' in {}"), frame.Url);
        var app = await tab.AppFrameAsync();
        Assert.Equal(0, await app.Locator("img, iframe, td b, td script, svg script, [onload], a[href^='javascript:'], [onerror], [onfocus], [autofocus]").CountAsync());
    }
}
