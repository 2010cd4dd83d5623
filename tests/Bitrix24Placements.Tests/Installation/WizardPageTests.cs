using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>The wizard as an administrator sees it.</summary>
public sealed class WizardPageTests
{
    private const string Finish = "BX24.installFinish()";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Says_what_has_been_done_in_its_order_and_finishes_last()
    {
        await using var service = await Service.StartAsync();
        var form = service.Wizard(lang: "en");

        using var answer = await service.PostAsync(form);
        var page = await answer.TextAsync();

        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        AssertInOrder(page, "<h1>Installation</h1>", "data-placement=\"REST_APP_URI\"", "registered", "data-placement=\"PAGE_BACKGROUND_WORKER\"", "registered", "The app is installed.", "<noscript>", "/api/v1/", Finish, "</html>");
        Assert.DoesNotContain("failed", page, StringComparison.Ordinal);
        Assert.DoesNotContain(form.AccessToken, page, StringComparison.Ordinal);
        Assert.DoesNotContain(form.RefreshToken, page, StringComparison.Ordinal);
        Assert.DoesNotContain(form.Body["APPLICATION_TOKEN"], page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ACCESS_DENIED", "open this page as an administrator")]
    [InlineData("insufficient_scope", "tick the permissions")]
    [InlineData("ERROR_PLACEMENT_MAX_COUNT", "already occupies the placement")]
    [InlineData("ERROR_PLACEMENT_NOT_FOUND", "does not have the placement")]
    [InlineData("ERROR_WRONG_HANDLER_URL", "Check Bitrix24:PublicUrl")]
    [InlineData("ERROR_SOMETHING_NEW", "Bitrix24 says ERROR_SOMETHING_NEW")]
    public async Task Gives_the_reason_in_words_that_help_and_a_retry_instead_of_finishing(string code, string words)
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set(Steps.Bind, Fault.Error(code));

        using var answer = await service.PostAsync(service.Wizard(lang: "en"));
        var page = await answer.TextAsync();

        AssertInOrder(page, "data-placement=\"REST_APP_URI\"", words, $"<code>{code}</code>", "data-placement=\"PAGE_BACKGROUND_WORKER\"", "The installation is not complete.", "id=\"retry\"", "</html>");
        Assert.DoesNotContain("installFinish", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tells_an_employee_to_fetch_an_administrator()
    {
        await using var service = await Service.StartAsync();

        using var answer = await service.PostAsync(service.Wizard(userId: 2, lang: "en"));
        var page = await answer.TextAsync();

        Assert.Contains("open this page as an administrator", page, StringComparison.Ordinal);
        Assert.DoesNotContain("installFinish", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_when_only_the_events_are_missing()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next("rest:event.bind", Fault.Error("ACCESS_DENIED", 403));

        using var answer = await service.PostAsync(service.Wizard(lang: "en"));
        var page = await answer.TextAsync();

        AssertInOrder(page, "registered", "registered", "Events", "failed", "ACCESS_DENIED", "The installation is not complete.");
        Assert.DoesNotContain("installFinish", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("de", "lang=\"de\"")]
    [InlineData("ru", "lang=\"ru\"")]
    [InlineData("la", "lang=\"es\"")]
    [InlineData("br", "lang=\"pt-BR\"")]
    [InlineData("xx", "lang=\"en\"")]
    public async Task Speaks_the_users_language(string lang, string attribute)
    {
        await using var service = await Service.StartAsync();

        using var answer = await service.PostAsync(service.Wizard(lang: lang));
        var page = await answer.TextAsync();

        Assert.Contains(attribute, page, StringComparison.Ordinal);
        Assert.Equal(lang == "xx", page.Contains("The app is installed.", StringComparison.Ordinal));
        Assert.Contains(Finish, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shows_the_first_placement_while_the_second_is_still_being_registered()
    {
        await using var service = await Service.StartAsync();
        var gate = new TaskCompletionSource();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Delay(TimeSpan.Zero));
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Until(gate.Task));

        using var answer = await BeginAsync(service, Token);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Token));
        var shown = await ReadUntilAsync(reader, "data-placement=\"REST_APP_URI\"");
        Assert.DoesNotContain("PAGE_BACKGROUND_WORKER\"", shown, StringComparison.Ordinal);
        gate.SetResult();

        Assert.Contains(Finish, await reader.ReadToEndAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_installation_goes_on_when_the_browser_goes_away()
    {
        await using var service = await Service.StartAsync();
        var gate = new TaskCompletionSource();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Until(gate.Task));
        using (var answer = await BeginAsync(service, Token))
            await service.Portal.Calls.WaitAsync(c => c.Method == "placement.bind", 1, Token);
        gate.SetResult();

        await service.EventuallyReconciledAsync();

        Assert.Equal(2, service.Portal.Count("placement.bind"));
        Assert.Equal(2, service.Portal.EventHandlers.Count);
        Assert.DoesNotContain(service.Logs, l => l.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_installation_goes_on_when_the_browser_goes_away_before_anything_has_been_answered()
    {
        await using var service = await Service.StartAsync();
        var gate = new TaskCompletionSource();
        service.Bitrix.Faults.Next("rest:placement.get", Fault.Until(gate.Task));
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var form = service.Wizard();
        using var request = new HttpRequestMessage(HttpMethod.Post, form.Action.PathAndQuery) { Content = new FormUrlEncodedContent(form.Body) };
        request.Headers.Accept.ParseAdd("application/json");
        var asked = service.Http.SendAsync(request, leaving.Token);
        await service.Portal.Calls.WaitAsync(c => c.Method == "placement.get", 1, Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        gate.SetResult();

        await service.EventuallyReconciledAsync();

        Assert.Equal(PortalState.Installed, (await service.StoredAsync())!.State);
    }

    [Fact]
    public async Task Whoever_goes_away_leaves_his_place_to_the_next_however_long_the_portal_takes()
    {
        // One place for a portal from one address.
        await using var service = await Service.StartAsync(new() { ["Limits:ConcurrentRequests"] = "16" });
        var gate = new TaskCompletionSource();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Until(gate.Task));
        using (await BeginAsync(service, Token))
        {
            await service.Portal.Calls.WaitAsync(c => c.Method == "placement.bind", 1, Token);
            using var another = await BeginAsync(service, Token);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, another.StatusCode);
        }

        await service.EventuallyAsync(async () =>
        {
            using var next = await BeginAsync(service, Token);
            return next.StatusCode == HttpStatusCode.OK;
        }, "there is a place");
        gate.SetResult();
    }

    private static Task<HttpResponseMessage> BeginAsync(Service service, CancellationToken cancellationToken)
    {
        var form = service.Wizard(lang: "en");
        var request = new HttpRequestMessage(HttpMethod.Post, form.Action.PathAndQuery) { Content = new FormUrlEncodedContent(form.Body) };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        return service.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private static async Task<string> ReadUntilAsync(StreamReader reader, string text)
    {
        var read = new StringBuilder();
        var buffer = new char[1024];
        while (!read.ToString().Contains(text, StringComparison.Ordinal))
        {
            var count = await reader.ReadAsync(buffer.AsMemory(), Token);
            Assert.NotEqual(0, count);
            read.Append(buffer, 0, count);
        }

        return read.ToString();
    }

    private static void AssertInOrder(string page, params string[] parts)
    {
        var at = 0;
        foreach (var part in parts)
        {
            var found = page.IndexOf(part, at, StringComparison.Ordinal);
            Assert.True(found >= 0, $"\"{part}\" is missing, or not in its place:\n{page}");
            at = found + part.Length;
        }
    }
}
