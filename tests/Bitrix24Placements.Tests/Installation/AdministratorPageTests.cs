using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Portals;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>A confirmed administrator's page proves that the app is there, and his tokens are worth keeping.</summary>
public sealed class AdministratorPageTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Restores_a_portal_that_a_false_notice_has_uninstalled(bool clean)
    {
        await using var service = await Service.StartInstalledAsync();
        await service.Get<PortalStore>().UninstallAsync(service.Portal.Id, (await service.StoredAsync())!.Epoch, clean, Token);
        using (var employee = await service.AppPageAsync(userId: 2, accept: "application/json"))
            await employee.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotInstalled");

        using var page = await service.AppPageAsync(userId: 4);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal(PortalState.Installed, (await service.StoredAsync())!.State);
        Assert.Equal(HttpStatusCode.Accepted, await service.SignalAsync());
    }

    [Fact]
    public async Task Installs_a_portal_that_the_store_has_lost()
    {
        await using var service = await Service.StartAsync();
        service.Portal.FinishInstall();
        await service.Portal.InstallAsync(cancellationToken: Token);
        service.Portal.FinishInstall();
        using (var employee = await service.LinkAsync(userId: 2, accept: "application/json"))
            await employee.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotInstalled");

        using var page = await service.LinkAsync(userId: 1);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        await service.EventuallyRegisteredAsync();
    }

    [Fact]
    public async Task Asks_about_an_employee_once_whatever_application_tokens_he_makes_up()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.Calls.Clear();

        for (var i = 0; i < 5; i++)
        {
            using var answer = await service.AppPageAsync(userId: 2, accept: "application/json", change: f => f.Body["APPLICATION_TOKEN"] = "made-up-" + i);
            await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        }

        Assert.Equal(1, service.Portal.Count("profile"));
    }

    [Theory]
    [InlineData("update")]
    [InlineData("wizard")]
    public async Task An_employees_notice_costs_no_reserve_and_no_session_whatever_comes_after_it(string next)
    {
        await using var service = await Service.StartInstalledAsync();
        (await service.AppPageAsync(userId: 4)).Dispose();
        await service.EventuallyAsync(async () => await service.StoredAsync() is { Reserve.UserId: 4 }, "there is a reserve");
        var epoch = (await service.StoredAsync())!.Epoch;
        var notice = service.Portal.EventFields("ONAPPUNINSTALL", userId: 2);
        notice["data[CLEAN]"] = "1";
        using (var heard = await service.PostAsync("/events", notice))
            Assert.Equal(HttpStatusCode.OK, heard.StatusCode);
        Assert.True(await service.Get<Database>().AnyAsync("SELECT 1 FROM work WHERE kind = 'uninstall'", Token));

        if (next == "update")
            Assert.Equal([200], (await service.Portal.UpdateAsync(cancellationToken: Token)).Select(static d => d.Status));
        else
            await service.InstallAndFinishAsync();

        Assert.True(await service.StoredAsync() is { Reserve.UserId: 4 } portal && portal.Epoch == epoch);
        Assert.False(await service.Get<Database>().AnyAsync("SELECT 1 FROM work WHERE kind = 'uninstall'", Token));
    }

    [Fact]
    public async Task Of_another_administrator_brings_the_reserve_and_of_an_employee_none()
    {
        await using var service = await Service.StartInstalledAsync();

        (await service.AppPageAsync(userId: 2)).Dispose();
        (await service.AppPageAsync(userId: 4)).Dispose();

        await service.EventuallyAsync(async () => await service.StoredAsync() is { Reserve: { UserId: 4, IsAdministrator: true } }, "there is a reserve");
        Assert.Equal(1, (await service.StoredAsync())!.UserId);
    }

    [Fact]
    public async Task Of_another_administrator_brings_the_reserve_though_an_employee_calls_without_a_pause()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Bitrix24:RequestBurst"] = "8" });
        using var page = await service.LinkAsync(userId: 2);
        var session = (await page.Content.ReadAsStringAsync(Token)).Split("data-session=\"")[1].Split('"')[0];
        var read = await service.Get<PageSessions>().ReadAsync(session, Token);
        Assert.NotNull(read);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var calls = Enumerable.Range(0, 40).Select(async _ =>
        {
            while (!enough.IsCancellationRequested)
                await service.Get<RestClient>().CallAsUserAsync<JsonNode>(read, "user.current", cancellationToken: enough.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
        }).ToList();
        // The employee's own page was the last that was asked about before his calls.
        await Task.Delay(TimeSpan.FromSeconds(11), Token);

        (await service.AppPageAsync(userId: 4)).Dispose();

        await service.EventuallyAsync(async () => await service.StoredAsync() is { Reserve: { UserId: 4, IsAdministrator: true } }, "there is a reserve");
        await enough.CancelAsync();
        await Task.WhenAll(calls);
    }

    [Fact]
    public async Task Of_another_administrator_takes_the_place_of_a_reserve_that_has_not_been_seen_for_a_day()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await Service.StartAsync(bitrix: bitrix, services: time.Register);
        await service.InstallAndFinishAsync();
        service.Portal.SetAdmin(5, true);
        (await service.AppPageAsync(userId: 4)).Dispose();
        await service.EventuallyAsync(async () => await service.StoredAsync() is { Reserve.UserId: 4 }, "there is a reserve");
        (await service.AppPageAsync(userId: 5)).Dispose();
        await Task.Delay(TimeSpan.FromSeconds(1), Token);
        Assert.Equal(4, (await service.StoredAsync())!.Reserve!.UserId);

        time.Shift(TimeSpan.FromHours(26));
        (await service.AppPageAsync(userId: 5)).Dispose();

        await service.EventuallyAsync(async () => await service.StoredAsync() is { Reserve: { UserId: 5, IsAdministrator: true } }, "it is another one's");
    }

    [Fact]
    public async Task Once_the_installer_is_no_administrator_another_ones_reserve_registers()
    {
        await using var service = await Service.StartInstalledAsync();
        (await service.AppPageAsync(userId: 4)).Dispose();
        await service.EventuallyAsync(async () => await service.StoredAsync() is { Reserve.UserId: 4 }, "there is a reserve");
        service.Portal.SetAdmin(1, false);

        await service.Portal.RemoveWorkerAsync(cancellationToken: Token);

        await service.EventuallyRegisteredAsync();
        Assert.True(await service.StoredAsync() is { UserId: 4, IsAdministrator: true, Reserve: { UserId: 1, IsAdministrator: false } });
        Assert.Equal(HttpStatusCode.Accepted, await service.SignalAsync());
    }

    [Fact]
    public async Task Once_the_installer_is_no_administrator_the_next_one_who_opens_the_page_registers()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.SetAdmin(1, false);
        await service.Portal.RemoveWorkerAsync(cancellationToken: Token);
        await service.EventuallyAsync(async () => await service.StoredAsync() is { IsAdministrator: false }, "it is known");
        Assert.Equal(HttpStatusCode.Accepted, await service.SignalAsync());

        (await service.AppPageAsync(userId: 4)).Dispose();

        await service.EventuallyRegisteredAsync();
        Assert.True(await service.StoredAsync() is { UserId: 4, IsAdministrator: true });
    }

    [Fact]
    public async Task Whose_tokens_are_dead_is_asked_about_where_the_new_ones_come_from()
    {
        await using var service = await Service.StartInstalledAsync();
        var before = (await service.StoredAsync())!;
        var portals = service.Get<PortalStore>();
        await portals.ReplaceTokensAsync(before.Id, before.UserId, before.Tokens!, new("http://127.0.0.1:1/"), Token);
        await portals.SetTokenStateAsync(before.Id, before.TokensVersion + 1, TokenState.Dead, Token);

        (await service.AppPageAsync()).Dispose();

        await service.EventuallyAsync(async () => await service.StoredAsync() is { TokenState: TokenState.Good }, "they are replaced");
        Assert.Equal(before.OAuthServer, (await service.StoredAsync())!.OAuthServer);
    }

    [Fact]
    public async Task A_system_users_tokens_are_the_reserve_until_an_administrators_are()
    {
        await using var service = await Service.StartInstalledAsync();

        foreach (var (path, user) in new[] { ("/install", 2), ("/events", 2) })
        {
            using var refused = await service.PostAsync(path, service.Portal.EventFields("ONAPPUSERREADY", userId: user));
            await refused.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        }

        foreach (var path in new[] { "/install", "/events", "/" })
        {
            using var answer = await service.PostAsync(path, service.Portal.EventFields("ONAPPUSERREADY"));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.False((await service.StoredAsync())!.Reserve!.IsAdministrator);
        }

        (await service.AppPageAsync(userId: 4)).Dispose();
        await service.EventuallyAsync(async () => await service.StoredAsync() is { Reserve.IsAdministrator: true }, "an administrator's are better");
        using var late = await service.PostAsync("/events", service.Portal.EventFields("ONAPPUSERREADY"));
        Assert.Equal(HttpStatusCode.OK, late.StatusCode);
        Assert.Equal(4, (await service.StoredAsync())!.Reserve!.UserId);
    }

    [Fact]
    public async Task A_wizard_without_a_refresh_token_changes_nothing()
    {
        await using var service = await Service.StartInstalledAsync();
        var before = await service.StoredAsync();
        var form = service.Wizard();
        form.Body.Remove("REFRESH_ID");

        using var answer = await service.PostAsync(form, "application/json");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull((await Service.JsonAsync(answer))["errors"]!["REFRESH_ID"]);
        Assert.Equal(before!.TokensVersion, (await service.StoredAsync())!.TokensVersion);
    }

    [Fact]
    public async Task A_genuine_installation_from_an_address_that_has_failed_too_often_is_kept_and_finished()
    {
        await using var service = await Service.StartAsync(new() { ["Limits:UnverifiedPerMinute"] = "2" });
        var forged = service.Portal.EventFields("ONAPPINSTALL");
        forged["auth[access_token]"] = new string('f', 70);
        for (var i = 0; i < 3; i++)
            (await service.PostAsync("/install", forged)).Dispose();
        service.Bitrix.OAuth.Calls.Clear();

        using var answer = await service.PostAsync("/install", service.Portal.EventFields("ONAPPINSTALL"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await service.EventuallyAsync(async () => await service.StoredAsync() is { State: PortalState.Installed }, "the installation is finished");
    }

    [Fact]
    public async Task A_wrong_secret_is_told_by_the_wizard_the_log_and_the_page()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.RotateSecret(service.Bitrix.Options.ClientId);

        using (var wizard = await service.PostAsync(service.Wizard()))
            Assert.Contains("id=\"wrong-keys\"", await wizard.TextAsync(), StringComparison.Ordinal);

        Assert.Contains(service.Logs, l => l.StartsWith("Error", StringComparison.Ordinal) && l.Contains(service.Bitrix.Options.ClientId, StringComparison.Ordinal));
        Assert.Equal(["default"], service.Get<Bitrix24Placements.Apps.KeyTroubles>().Apps);
        service.Portal.FinishInstall();
        using var page = await service.AppPageAsync();
        Assert.Contains("id=\"keys\"", await page.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_placement_that_was_wiped_without_a_word_comes_back_by_itself()
    {
        await using var service = await Service.StartInstalledAsync();
        Assert.InRange((await service.DueInAsync(WorkKind.Look))!.Value, 0, 86_400);
        service.Portal.Unregister(Steps.Worker);

        await service.Get<Database>().ExecuteAsync("UPDATE work SET due_at = 0 WHERE kind = 'look'", Token);

        await service.EventuallyRegisteredAsync();
        await service.EventuallyAsync(async () => await service.DueInAsync(WorkKind.Look) is > 600 and <= 900, "it is looked at again within 15 minutes");
    }

    [Fact]
    public async Task A_portal_that_is_suspended_is_looked_at_when_it_is_back()
    {
        await using var service = await Service.StartInstalledAsync();
        var portal = (await service.StoredAsync())!;
        Assert.True(await service.Get<PortalStore>().SuspendAsync(portal, Token));

        await service.Get<Database>().ExecuteAsync("UPDATE work SET due_at = 0 WHERE kind = 'look'", Token);

        await service.EventuallyAsync(async () => await service.DueInAsync(WorkKind.Look) is > 3_600, "it is looked at again within a day");
    }
}
