using Bitrix24Placements.BrowserTests.Harness;
using Bitrix24Placements.PortalSimulator;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.BrowserTests;

public sealed class FramingTests(Chromium chromium) : BrowserTest(chromium)
{
    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task No_other_origin_can_frame_a_page_that_was_opened_for_the_portal(string host)
    {
        Complaints.Expect(static text => text.Contains("frame-ancestors", StringComparison.Ordinal));
        await using var stranger = await StrangerAsync();
        var page = await Context.NewPageAsync();
        LaunchForm[] forms =
        [
            Portal.LaunchFields("REST_APP_URI", options: new() { ["docId"] = "42" }),
            Portal.LaunchFields("PAGE_BACKGROUND_WORKER"),
            Portal.LaunchFields("DEFAULT"),
            Portal.InstallFields(userId: 2),
        ];

        foreach (var form in forms)
        {
            await page.GotoAsync($"http://{host}:{new Uri(stranger.Urls.First()).Port}/");
            var answer = page.WaitForResponseAsync(response => response.Url.StartsWith(Service.Url.AbsoluteUri, StringComparison.Ordinal));
            await new PortalTab(page, this).SubmitAsync(form);

            Assert.Equal(200, (await answer).Status);
            await RefusedAsync(page);
        }

        Assert.True(Complaints.Expected.Count >= forms.Length, string.Join('\n', Complaints.Expected));
    }

    [Fact]
    public async Task Nobody_can_frame_the_page_of_the_service_itself()
    {
        Complaints.Expect(static text => text.Contains("frame-ancestors", StringComparison.Ordinal));
        await using var stranger = await StrangerAsync();
        var page = await Context.NewPageAsync();
        await page.GotoAsync(stranger.Urls.First());

        await page.EvaluateAsync("url => document.body.append(Object.assign(document.createElement('iframe'), { src: url }))", Service.Url.AbsoluteUri);

        await RefusedAsync(page);
    }

    [Fact]
    public async Task A_window_that_somebody_has_opened_and_named_as_a_portal_names_its_frames_loads_nothing_of_the_vendors()
    {
        var page = await Context.NewPageAsync();
        await page.GotoAsync(Service.Url.AbsoluteUri);
        var script = await page.EvaluateAsync<string>("new URL('bx24.js', document.querySelector('link[rel=stylesheet]').href).href");
        await using var stranger = await StrangerAsync();
        await page.GotoAsync(stranger.Urls.First());
        var asked = new List<string>();
        page.Request += (_, request) => asked.Add(request.Url);

        var loaded = await page.EvaluateAsync<bool>("""
            async script => {
              window.name = 'http://portal.example.com|0|key';
              const { loadBX24 } = await import(script);
              return await loadBX24('/vendor.js') !== null;
            }
            """, script);

        Assert.False(loaded);
        Assert.Contains(asked, static url => url.EndsWith("/bx24.js", StringComparison.Ordinal));
        Assert.DoesNotContain(asked, static url => url.EndsWith("/vendor.js", StringComparison.Ordinal));
    }

    private static async Task RefusedAsync(IPage page)
    {
        var frame = await (await page.Locator("iframe").ElementHandleAsync()).ContentFrameAsync();
        await frame!.WaitForURLAsync("chrome-error://**");
        await Expect(frame.Locator("main, [data-module]")).ToHaveCountAsync(0);
    }

    private static async Task<WebApplication> StrangerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/", static () => Results.Content("<!DOCTYPE html><html lang=en><title>A stranger</title><link rel=icon href=data:,><body>", "text/html"));
        await app.StartAsync(Cancellation);
        return app;
    }
}
