using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>Tokens that are dead for good: nothing is asked any more until an administrator opens a page of the app.</summary>
public sealed class HealingTests : IAsyncLifetime
{
    private readonly ShiftedTime _time = new();
    private Bitrix24 _bitrix = null!;
    private Service _service = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bitrix = await Bitrix24.StartAsync(new() { Time = _time }, Token);
        _service = await Service.StartAsync(bitrix: _bitrix, services: _time.Register);
        await _service.InstallAndFinishAsync();
    }

    [Fact]
    public async Task Dead_tokens_end_the_questions_and_are_told_by_health_and_page()
    {
        await KillTokensAsync();
        _bitrix.OAuth.Calls.Clear();

        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await _service.SignalAsync());

        Assert.Empty(_bitrix.OAuth.Calls);
        _time.Shift(TimeSpan.FromMinutes(1));
        using var ready = await _service.Http.GetAsync("/health/ready", Token);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal(1, (await _service.Get<PortalCensus>().CountAsync(TimeSpan.FromSeconds(5)))?.DeadTokens);
        using var page = await _service.AppPageAsync(userId: 2);
        Assert.Contains("data-state=\"dead\"", await page.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_employees_pages_heal_nothing()
    {
        await KillTokensAsync();

        (await _service.AppPageAsync(userId: 2)).Dispose();
        (await _service.LinkAsync(userId: 3)).Dispose();
        (await _service.WorkerAsync(userId: 2)).Dispose();

        Assert.Equal(TokenState.Dead, (await _service.StoredAsync())!.TokenState);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _service.SignalAsync());
    }

    [Theory]
    [InlineData("link")]
    [InlineData("app")]
    public async Task An_administrators_page_heals_and_signals_work_again(string which)
    {
        await KillTokensAsync();
        (await _service.AppPageAsync(userId: 2)).Dispose();

        (await (which == "link" ? _service.LinkAsync() : _service.AppPageAsync())).Dispose();

        await _service.EventuallyAsync(async () => (await _service.StoredAsync())!.TokenState == TokenState.Good, "the tokens are good");
        Assert.Equal(HttpStatusCode.Accepted, await _service.SignalAsync());
    }

    [Fact]
    public async Task An_administrator_heals_while_an_employees_page_is_still_being_looked_at()
    {
        await KillTokensAsync();
        var gate = new TaskCompletionSource();
        _bitrix.Faults.Next("rest:profile", Fault.Until(gate.Task));
        var employee = _service.LinkAsync(userId: 2);
        await _service.Portal.Calls.WaitAsync(c => c is { Method: "profile", UserId: 2 }, 1, Token);

        (await _service.LinkAsync()).Dispose();

        Assert.Equal(HttpStatusCode.Accepted, await _service.SignalAsync());
        gate.SetResult();
        (await employee).Dispose();
    }

    [Fact]
    public async Task The_page_that_heals_says_that_it_has()
    {
        await KillTokensAsync();

        using var page = await _service.AppPageAsync();

        Assert.Contains("data-state=\"good\"", await page.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_that_only_fail_are_healed_as_well()
    {
        _time.Shift(TimeSpan.FromHours(2));
        _bitrix.Faults.Set("oauth:token", Fault.Error("PAYMENT_REQUIRED"));
        Assert.NotEqual(HttpStatusCode.Accepted, await _service.SignalAsync());
        Assert.Equal(TokenState.Failing, (await _service.StoredAsync())!.TokenState);

        (await _service.LinkAsync()).Dispose();

        await _service.EventuallyAsync(async () => (await _service.StoredAsync())!.TokenState == TokenState.Good, "the tokens are good");
        Assert.Equal(HttpStatusCode.Accepted, await _service.SignalAsync());
    }

    [Fact]
    public async Task Tokens_that_the_portal_revokes_before_they_expire_are_healed_by_an_administrators_page()
    {
        _service.Portal.RevokeAll();
        Assert.NotEqual(HttpStatusCode.Accepted, await _service.SignalAsync());

        (await _service.LinkAsync(userId: 2)).Dispose();
        Assert.NotEqual(HttpStatusCode.Accepted, await _service.SignalAsync());
        (await _service.LinkAsync()).Dispose();

        await _service.EventuallyAsync(async () => await _service.SignalAsync() == HttpStatusCode.Accepted, "signals work again");
    }

    [Fact]
    public async Task A_worker_removed_while_the_tokens_were_dead_is_bound_again_when_they_are_healed()
    {
        await KillTokensAsync();
        await _service.Portal.RemoveWorkerAsync(cancellationToken: Token);
        Assert.False(_service.IsRegistered());

        (await _service.LinkAsync()).Dispose();

        await _service.EventuallyReconciledAsync();
    }

    [Fact]
    public async Task A_new_application_token_is_adopted_from_an_administrators_page_alone()
    {
        void Change(LaunchForm form) => form.Body["APPLICATION_TOKEN"] = "a-new-application-token";

        using (var employee = await _service.LinkAsync(userId: 2, accept: "application/json", change: Change))
            await employee.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        using (var before = await _service.WorkerAsync(accept: "application/json", change: Change))
            await before.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");

        using (var administrator = await _service.LinkAsync(accept: "application/json", change: Change))
            Assert.Equal(HttpStatusCode.OK, administrator.StatusCode);
        using var after = await _service.WorkerAsync(accept: "application/json", change: Change);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task A_page_from_before_an_update_does_not_bring_the_application_token_back_that_was_replaced()
    {
        var old = _service.Portal.App.ApplicationToken;
        void Change(LaunchForm form) => form.Body["APPLICATION_TOKEN"] = old;
        Assert.Equal(200, Assert.Single(await _service.Portal.UpdateAsync(cancellationToken: Token)).Status);
        await _service.InstallAsync();

        using (var before = await _service.LinkAsync(accept: "application/json", change: Change))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        using (var current = await _service.WorkerAsync(accept: "application/json"))
            Assert.Equal(HttpStatusCode.OK, current.StatusCode);

        // No such page can be confirmed any more: it is the portal's own word.
        _time.Shift(TimeSpan.FromMinutes(61));
        using (var later = await _service.LinkAsync(accept: "application/json", change: Change))
            Assert.Equal(HttpStatusCode.OK, later.StatusCode);
        using var adopted = await _service.WorkerAsync(accept: "application/json", change: Change);
        Assert.Equal(HttpStatusCode.OK, adopted.StatusCode);
    }

    [Fact]
    public async Task What_an_old_wizard_brings_back_the_next_page_puts_right()
    {
        var old = _service.Portal.App.ApplicationToken;
        Assert.Equal(200, Assert.Single(await _service.Portal.UpdateAsync(cancellationToken: Token)).Status);
        var wizard = _service.Portal.InstallFields(handler: new Uri(_service.Url, "/install").AbsoluteUri);
        wizard.Body["APPLICATION_TOKEN"] = old;
        (await _service.PostAsync(wizard, "application/json")).Dispose();

        (await _service.LinkAsync()).Dispose();

        using var worker = await _service.WorkerAsync(accept: "application/json");
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
    }

    [Fact]
    public async Task A_removal_that_nobody_told_is_noticed_by_an_administrators_page_at_most_once_a_day()
    {
        await _service.Portal.RemoveWorkerAsync(notify: false, Token);
        (await _service.LinkAsync(userId: 2)).Dispose();
        (await _service.LinkAsync()).Dispose();
        await _service.EventuallyReconciledAsync();

        await _service.Portal.RemoveWorkerAsync(notify: false, Token);
        _service.Portal.Calls.Clear();
        (await _service.LinkAsync()).Dispose();
        (await _service.AppPageAsync()).Dispose();
        Assert.Equal(0, _service.Portal.Count("placement.get"));

        _time.Shift(TimeSpan.FromHours(25));
        (await _service.LinkAsync()).Dispose();
        await _service.EventuallyReconciledAsync();
    }

    [Fact]
    public async Task The_daily_look_uses_the_administrators_own_token_and_changes_nothing_that_is_right()
    {
        _service.Portal.Calls.Clear();

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _service.LinkAsync()));

        await _service.Portal.Calls.WaitAsync(c => c is { Method: "placement.get", Outcome: "ok" }, 1, Token);
        Assert.Equal(1, _service.Portal.Count("placement.get"));
        Assert.DoesNotContain(_service.Portal.Methods(), m => m is "placement.bind" or "placement.unbind");
    }

    [Fact]
    public async Task Old_refresh_tokens_are_renewed_once_well_before_their_end()
    {
        _time.Shift(TimeSpan.FromDays(151));
        await _service.StopAsync();

        await using var second = await Service.StartAsync(bitrix: _bitrix, folder: _service.Folder, port: _service.Url.Port, services: _time.Register);

        await second.EventuallyAsync(() => _bitrix.OAuth.Refreshes == 1, "the refresh token is renewed");
        await second.EventuallyAsync(async () => (await second.StoredAsync())!.Tokens!.ExpiresAt > _time.GetUtcNow(), "and stored");
        Assert.Equal(HttpStatusCode.Accepted, await second.SignalAsync());
        Assert.Equal(1, _bitrix.OAuth.Refreshes);
    }

    private async Task KillTokensAsync()
    {
        _service.Portal.RevokeAll();
        _time.Shift(TimeSpan.FromHours(2));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AfterRefusalAsync());
        Assert.Equal(TokenState.Dead, (await _service.StoredAsync())!.TokenState);
    }

    /// <summary>The first call finds the tokens dead, the next ones know.</summary>
    private async Task<HttpStatusCode> AfterRefusalAsync()
    {
        await _service.SignalAsync();
        return await _service.SignalAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        await _bitrix.DisposeAsync();
    }
}
