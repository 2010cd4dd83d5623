using System.Text.Json.Nodes;
using Bitrix24Placements.BrowserTests.Harness;

namespace Bitrix24Placements.BrowserTests;

public sealed class DeepLinkTests(Chromium chromium) : BrowserTest(chromium)
{
    [Fact]
    public async Task A_click_on_a_link_opens_the_slider_with_its_parameters()
    {
        var tab = await OpenAsync(userId: 2);

        await tab.Page.GetByTestId("deep-link-1").ClickAsync();

        Assert.Equal(new Dictionary<string, string> { ["docId"] = "42" }, await tab.ParametersAsync());
        await Expect(tab.App.Locator(".facts")).ToContainTextAsync("/stream/");
        await Expect(tab.Sliders).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task The_link_with_APP_in_its_query_opens_the_same()
    {
        var tab = await OpenAsync();

        await tab.Page.GetByTestId("deep-link-3").ClickAsync();

        Assert.Equal(new Dictionary<string, string> { ["docId"] = "7" }, await tab.ParametersAsync());
    }

    [Fact]
    public async Task A_link_without_parameters_says_so()
    {
        var tab = await OpenAsync(lang: "en");

        await tab.Page.GetByTestId("deep-link-4").ClickAsync();

        await Expect(tab.App.Locator("main")).ToContainTextAsync("The link had no parameters.");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Parameters_arrive_as_they_were_made(bool asQuery)
    {
        var links = Service.Get<DeepLinks>();
        var made = new JsonObject
        {
            ["title"] = "Счёт № 5 & «договор» + 100% = да?",
            ["имя"] = "Ёж #1",
            ["filter"] = new JsonObject { ["stage"] = "NEW", ["tags"] = new JsonArray("urgent", "Москва/Казань") },
            ["empty"] = "",
        };
        var tab = await OpenAsync();

        await tab.OpenLinkAsync(asQuery ? links.QueryPath(made) : links.Path(made));

        var arrived = await tab.ParametersAsync();
        Assert.Equal(made.Select(static p => p.Key).Order(), arrived.Keys.Order());
        Assert.Equal("Счёт № 5 & «договор» + 100% = да?", arrived["title"]);
        Assert.Equal("Ёж #1", arrived["имя"]);
        Assert.Equal("", arrived["empty"]);
        // Readable, not as PHP escapes it.
        Assert.Equal("""{"stage":"NEW","tags":["urgent","Москва/Казань"]}""", arrived["filter"]);
    }

    [Fact]
    public async Task The_page_fetches_its_own_context_with_its_session()
    {
        var tab = await OpenAsync();
        await tab.OpenLinkAsync(Service.Get<DeepLinks>().Path(new() { ["docId"] = 42 }), userId: 3);

        await tab.App.Locator("#context summary").ClickAsync();

        var context = JsonNode.Parse(await tab.App.Locator("#context pre").InnerTextAsync())!;
        Assert.Equal(3, (int)context["userId"]!);
        Assert.Equal("42", (string?)context["options"]!["parameters"]!["docId"]);
        Assert.Equal("accessToken", (string?)context["verification"]);
    }
}
