using System.Text.Json;
using Bitrix24Placements.BrowserTests.Harness;

namespace Bitrix24Placements.BrowserTests;

public sealed class CallCardTests(Chromium chromium) : BrowserTest(chromium)
{
    [Fact]
    public async Task Commands_are_seen_on_the_card_and_clicks_are_heard()
    {
        var tab = await OpenAsync();
        var worker = await tab.WorkerFrameAsync();
        await RunAsync(worker, "window.heard = []; for (const e of card.callCardEvents) callCard.on(e, data => heard.push([e, data]));");
        // The subscriptions have arrived once a later message is answered.
        Assert.Contains("transferConnected", (await RunAsync(worker, "return callCard.getUiStates();")).EnumerateArray().Select(static s => s.GetString()));

        await tab.Lever("callcard").ClickAsync();

        await Expect(tab.Page.GetByTestId("callcard")).ToHaveAttributeAsync("data-ui-state", "incoming");
        var call = await HeardAsync(worker, "initialized");
        Assert.Equal("+19001234567", call.GetProperty("PHONE_NUMBER").GetString());
        await tab.Page.GetByTestId("callcard-answer").ClickAsync();
        await HeardAsync(worker, "answerButtonClick");
        await RunAsync(worker, "await callCard.setUiState('connected'); await callCard.setTitle('Договор'); await callCard.setStatusText('Dana speaks');");
        await Expect(tab.Page.GetByTestId("callcard-title")).ToHaveTextAsync("Договор");
        await Expect(tab.Page.GetByTestId("callcard-status")).ToHaveTextAsync("Dana speaks");
        await Expect(tab.Page.GetByTestId("callcard-timer")).ToHaveTextAsync("00:01");
        await RunAsync(worker, "await callCard.stopTimer(); await callCard.startTimer(); await callCard.setMute(true); await callCard.setHold(true);");
        await Expect(tab.Page.GetByTestId("callcard-mute")).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(tab.Page.GetByTestId("callcard-hold")).ToHaveAttributeAsync("aria-pressed", "true");
        await tab.Page.GetByTestId("callcard-key-#").ClickAsync();
        Assert.Equal("#", (await HeardAsync(worker, "dialpadButtonClick")).GetString());
        await tab.Page.GetByTestId("callcard-comment").FillAsync("calls back");
        // What somebody is writing stays when the card changes.
        await RunAsync(worker, "await callCard.setStatusText('Dana listens');");
        await tab.Page.GetByTestId("callcard-save-comment").ClickAsync();
        Assert.Equal("calls back", (await HeardAsync(worker, "addCommentButtonClick")).GetString());
        await RunAsync(worker, "await callCard.close();");
        await Expect(tab.Page.GetByTestId("callcard")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_command_without_a_card_or_with_an_unknown_state_is_refused_clearly()
    {
        var tab = await OpenAsync();
        var worker = await tab.WorkerFrameAsync();

        Assert.Equal("Call card is undefined", (await RefusalAsync(worker, "callCard.setTitle('x')")).GetString());
        Assert.Equal("Call card is undefined", (await RefusalAsync(worker, "callCard.startTimer()")).GetString());
        await tab.Lever("callcard").ClickAsync();
        await Expect(tab.Page.GetByTestId("callcard")).ToBeVisibleAsync();
        Assert.Equal("Invalid ui state", (await RefusalAsync(worker, "callCard.setUiState('sleeping')")).GetString());
    }

    [Fact]
    public async Task Outside_of_the_worker_there_is_no_such_command()
    {
        var tab = await OpenAsync();
        await tab.OpenLinkAsync($"/marketplace/view/{Portal.App.ClientId}/?params[docId]=42");

        Assert.Equal("no such command", (await RefusalAsync(await tab.AppFrameAsync(), "callCard.setTitle('x')")).GetString());
    }

    private static Task<JsonElement> RefusalAsync(IFrame frame, string command) => RunAsync(frame, $"return {command}.then(() => 'done', problem => problem.code);");

    private static Task<JsonElement> RunAsync(IFrame frame, string script) => frame.EvaluateAsync<JsonElement>(
        $$"""
        async () => {
          const own = document.body.dataset.module ?? document.querySelector('script[type=module]').src;
          const card = await import(new URL('callcard.js', new URL(own, location.href)));
          const { callCard } = card;
          {{script}}
        }
        """);

    private static async Task<JsonElement> HeardAsync(IFrame worker, string name)
    {
        await worker.UntilAsync("name => heard.some(([event]) => event === name)", name);
        return await worker.EvaluateAsync<JsonElement>("name => heard.find(([event]) => event === name)[1] ?? null", name);
    }
}
