using System.Net;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>Any user of a portal can tell its uninstallation; the OAuth server has the word, and is asked as often as the contract allows.</summary>
public sealed class DoubtfulUninstallTests : IAsyncLifetime
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
        _bitrix.OAuth.Calls.Clear();
    }

    [Fact]
    public async Task A_forged_notice_is_asked_about_four_times_and_then_dropped()
    {
        using var answer = await ForgeAsync();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await BeDroppedAsync();
        _time.Shift(UninstallWork.ChecksApart);

        await _service.EventuallyAsync(async () => !await _service.HasWorkAsync(WorkKind.Uninstall), "the notice is dropped");
        Assert.Equal(["app.info", "app.info", "app.info", "app.info"], _bitrix.OAuth.Calls.Select(c => c.Kind));
        Assert.Equal(PortalState.Installed, (await _service.StoredAsync())!.State);
        Assert.Contains(_service.Logs, l => l.StartsWith("Warning", StringComparison.Ordinal) && l.Contains("dropped", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Accepted, await _service.SignalAsync());
    }

    [Fact]
    public async Task After_a_dropped_one_the_next_is_asked_about_when_five_seconds_have_passed()
    {
        (await ForgeAsync()).Dispose();
        await BeDroppedAsync();
        _bitrix.OAuth.Calls.Clear();

        for (var i = 0; i < 3; i++)
            (await ForgeAsync()).Dispose();

        Assert.Empty(_bitrix.OAuth.Calls);
        Assert.InRange((await _service.DueInAsync(WorkKind.Uninstall))!.Value, 0, 5);
        _time.Shift(UninstallWork.ChecksApart);
        await _service.EventuallyAsync(() => _bitrix.OAuth.Calls.Count == 1, "the next one is asked about");
    }

    [Fact]
    public async Task Many_forged_notices_cause_one_question_in_five_seconds()
    {
        for (var i = 0; i < 20; i++)
            (await ForgeAsync()).Dispose();

        Assert.InRange(_bitrix.OAuth.Calls.Count, 1, 2);
        Assert.InRange((await _service.DueInAsync(WorkKind.Uninstall))!.Value, 0, 5);
    }

    [Fact]
    public async Task A_token_that_a_refresh_under_way_has_voided_does_not_mean_that_the_app_is_gone()
    {
        _bitrix.Options.RefreshRevokesAccessToken = true;
        _service.Portal.ExpireTokens();
        var goOn = new TaskCompletionSource();
        _bitrix.Faults.Next("oauth:token", Fault.UntilAfter(goOn.Task));
        var signal = _service.SignalAsync();
        await _service.EventuallyAsync(() => _bitrix.OAuth.Refreshes == 1, "the old token is void, the new one is not here yet");

        var forged = ForgeAsync();
        await _bitrix.OAuth.Calls.WaitAsync(static c => c.Kind == "app.info", 1, Token);
        goOn.SetResult();
        (await forged).Dispose();

        Assert.Equal(HttpStatusCode.Accepted, await signal);
        await _bitrix.OAuth.Calls.WaitAsync(static c => c.Kind == "app.info", 2, Token);
        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "it is asked again later");
        Assert.Equal(PortalState.Installed, (await _service.StoredAsync())!.State);
    }

    [Fact]
    public async Task What_the_OAuth_server_learns_a_moment_later_is_believed_then()
    {
        (await ForgeAsync()).Dispose();
        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "asked once");

        _service.Portal.UninstallSilently();
        _time.Shift(TimeSpan.FromSeconds(5));

        await _service.EventuallyAsync(_service.IsCleanAsync, "the portal is gone but for its settings");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_the_first_tokens_have_died_the_reserve_is_asked(bool isGone)
    {
        (await _service.AppPageAsync(userId: 4)).Dispose();
        await _service.EventuallyAsync(async () => await _service.StoredAsync() is { Reserve: not null }, "there is a reserve");
        if (isGone)
            _service.Portal.UninstallSilently();
        else
            _bitrix.Faults.Next("oauth:app.info", Fault.Error("invalid_token", 401));

        (await ForgeAsync()).Dispose();

        if (isGone)
        {
            await _service.EventuallyAsync(_service.IsCleanAsync, "the portal is gone but for its settings");
            return;
        }

        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "it is asked again later");
        Assert.True(await _service.StoredAsync() is { State: PortalState.Installed, UserId: 4, TokenState: TokenState.Good });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_OAuth_server_that_is_configured_no_more_is_not_asked_and_no_other_has_its_word(bool isExpired)
    {
        await _service.StopAsync();
        if (isExpired)
            _service.Portal.ExpireTokens();
        await using var elsewhere = await Bitrix24.StartAsync(cancellationToken: Token);
        await using var second = await Service.StartAsync(
            new() { ["Bitrix24:OAuthServers:0"] = elsewhere.OAuth.Url }, _bitrix, _service.Folder, services: _time.Register);
        _bitrix.OAuth.Calls.Clear();

        (await second.PostAsync("/events", second.Portal.EventFields("ONAPPUNINSTALL"))).Dispose();
        if (isExpired)
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await second.SignalAsync());
        await second.EventuallyAsync(async () => await second.DueInAsync(WorkKind.Uninstall) > 0, "the notice waits");

        Assert.Empty(_bitrix.OAuth.Calls);
        Assert.Empty(elsewhere.OAuth.Calls);
        var stored = (await second.StoredAsync())!;
        Assert.Equal((PortalState.Installed, isExpired ? TokenState.Failing : TokenState.Good), (stored.State, stored.TokenState));
    }

    [Fact]
    public async Task A_refusal_of_the_keys_is_no_answer()
    {
        _bitrix.RotateSecret(_bitrix.Options.ClientId);
        _service.Portal.ExpireTokens();

        (await ForgeAsync()).Dispose();

        await _service.EventuallyAsync(() => _bitrix.OAuth.Calls.Any(c => c is { Kind: "token", Outcome: "invalid_client" }), "a refresh was refused");
        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "the notice waits");
        Assert.Equal(PortalState.Installed, (await _service.StoredAsync())!.State);
    }

    [Fact]
    public async Task Of_two_notices_that_wait_the_careful_one_wins()
    {
        _bitrix.Faults.Set("oauth:*", Fault.Drop());
        var fields = _service.Portal.EventFields("ONAPPUNINSTALL");
        foreach (var clean in new[] { "1", "0", "1" })
        {
            fields["data[CLEAN]"] = clean;
            (await _service.PostAsync("/events", fields)).Dispose();
        }

        var payloads = await _service.Get<Database>().QueryAsync($"SELECT payload FROM work WHERE kind = {WorkKind.Uninstall}", static r => r.GetString(0), Token);
        Assert.Equal(false, UninstallNotice.Read(Assert.Single(payloads))?.Clean);
        _bitrix.Faults.Clear();
    }

    [Fact]
    public async Task A_silent_OAuth_server_is_asked_again_until_it_answers()
    {
        _bitrix.Faults.Set("oauth:*", Fault.Drop());
        await _service.Portal.UninstallAsync(clean: true, Token);
        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "asked once");
        Assert.Equal(PortalState.Installed, (await _service.StoredAsync())!.State);

        _bitrix.Faults.Clear();
        _time.Shift(TimeSpan.FromSeconds(10));

        await _service.EventuallyAsync(_service.IsCleanAsync, "the portal is gone but for its settings");
    }

    [Fact]
    public async Task A_kept_notice_survives_a_restart()
    {
        _bitrix.Faults.Set("oauth:*", Fault.Drop());
        await _service.Portal.UninstallAsync(clean: true, Token);
        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "asked once");
        await _service.StopAsync();
        _bitrix.Faults.Clear();
        _time.Shift(TimeSpan.FromMinutes(1));

        await using var second = await Service.StartAsync(bitrix: _bitrix, folder: _service.Folder, services: _time.Register);

        await second.EventuallyAsync(second.IsCleanAsync, "the portal is gone but for its settings");
    }

    [Fact]
    public async Task An_expired_token_of_an_app_that_is_still_there_is_refreshed_and_nothing_ends()
    {
        _time.Shift(TimeSpan.FromHours(2));

        (await ForgeAsync()).Dispose();

        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "asked once");
        Assert.Equal(["token", "app.info"], _bitrix.OAuth.Calls.Select(c => c.Kind));
        Assert.Equal(TokenState.Good, (await _service.StoredAsync())!.TokenState);
    }

    [Fact]
    public async Task With_dead_tokens_and_a_reserve_the_reserve_is_asked_and_nothing_ends()
    {
        _time.Shift(TimeSpan.FromHours(2));
        _bitrix.Faults.Next("oauth:token", Fault.Error("invalid_grant"));
        Assert.NotEqual(HttpStatusCode.Accepted, await _service.SignalAsync());
        (await _service.PostAsync("/events", _service.Portal.EventFields("ONAPPUSERREADY"))).Dispose();
        Assert.Equal(TokenState.Dead, (await _service.StoredAsync())!.TokenState);

        (await ForgeAsync()).Dispose();

        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "asked once");
        Assert.Equal(PortalState.Installed, (await _service.StoredAsync())!.State);
        Assert.Equal(HttpStatusCode.Accepted, await _service.SignalAsync());
    }

    [Fact]
    public async Task With_dead_tokens_the_portal_is_suspended_until_an_administrators_page()
    {
        _time.Shift(TimeSpan.FromHours(2));
        _bitrix.Faults.Next("oauth:token", Fault.Error("invalid_grant"));
        Assert.NotEqual(HttpStatusCode.Accepted, await _service.SignalAsync());
        Assert.Equal(TokenState.Dead, (await _service.StoredAsync())!.TokenState);

        (await ForgeAsync()).Dispose();

        await _service.EventuallyAsync(async () => (await _service.StoredAsync())!.State == PortalState.Suspended, "suspended");
        using (var worker = await _service.WorkerAsync(accept: "application/json"))
            await worker.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotInstalled");
        using (var employee = await _service.AppPageAsync(userId: 2, accept: "application/json"))
            await employee.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotInstalled");
        using (var administrator = await _service.AppPageAsync(accept: "application/json"))
            Assert.Equal(HttpStatusCode.OK, administrator.StatusCode);
        Assert.Equal(PortalState.Installed, (await _service.StoredAsync())!.State);
        using var after = await _service.WorkerAsync(accept: "application/json");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, await _service.SignalAsync());
    }

    [Fact]
    public async Task A_reinstallation_voids_an_old_notice()
    {
        _bitrix.Faults.Set("oauth:*", Fault.Drop());
        await _service.Portal.UninstallAsync(clean: true, Token);
        await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "asked once");
        _bitrix.Faults.Clear();

        await _service.Portal.InstallAsync(cancellationToken: Token);
        await _service.InstallAndFinishAsync();

        Assert.False(await _service.HasWorkAsync(WorkKind.Uninstall));
        Assert.Equal(PortalState.Installed, (await _service.StoredAsync())!.State);
    }

    [Fact]
    public async Task An_answer_about_the_earlier_installation_does_not_end_the_next_one()
    {
        var gate = new TaskCompletionSource();
        _bitrix.Faults.Next("oauth:app.info", Fault.UntilAfter(gate.Task));
        await _service.Portal.UninstallAsync(clean: true, Token);
        await _bitrix.OAuth.Calls.WaitAsync(c => c.Kind == "app.info", 1, Token);

        await _service.Portal.InstallAsync(cancellationToken: Token);
        var installing = _service.InstallAsync();
        await _bitrix.OAuth.Calls.WaitAsync(c => c is { Kind: "app.info", Outcome: "ok" }, 1, Token);
        await _service.EventuallyAsync(async () => !await _service.HasWorkAsync(WorkKind.Uninstall), "the reinstallation is stored");
        gate.SetResult();

        Assert.True((bool)(await installing)["finished"]!);
        for (var i = 0; i < 10; i++)
        {
            using var page = await _service.AppPageAsync(accept: "application/json");
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
            Assert.Equal(HttpStatusCode.Accepted, await _service.SignalAsync());
        }
    }

    /// <summary>The pauses between the four questions.</summary>
    private async Task BeDroppedAsync()
    {
        foreach (var pause in new[] { 5, 60, 600 })
        {
            await _service.EventuallyAsync(async () => await _service.DueInAsync(WorkKind.Uninstall) > 0, "the next question is planned");
            Assert.InRange((await _service.DueInAsync(WorkKind.Uninstall))!.Value, pause - 4, pause);
            _time.Shift(TimeSpan.FromSeconds(pause));
        }

        await _service.EventuallyAsync(() => _service.Logs.Any(static l => l.Contains("dropped", StringComparison.Ordinal)), "the notice is dropped");
    }

    private Task<HttpResponseMessage> ForgeAsync() => _service.PostAsync("/events", _service.Portal.EventFields("ONAPPUNINSTALL"));

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        await _bitrix.DisposeAsync();
    }
}
