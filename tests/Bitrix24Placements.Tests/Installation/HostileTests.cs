using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Events;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>What Bitrix24 sends once is not lost to strangers, to employees, or to what came before it.</summary>
public sealed class HostileTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Dictionary<string, string?> FewAttempts => new() { ["Limits:UnverifiedPerMinute"] = "2" };

    [Fact]
    public async Task A_kept_installation_changes_nothing_where_a_newer_one_is_stored()
    {
        await using var service = await Service.StartAsync();
        var older = service.Portal.EventFields("ONAPPINSTALL", userId: 1);
        older["auth[application_token]"] = "the-older-application-token";
        service.Bitrix.Faults.Set("rest:profile", Fault.Error("OVERLOAD_LIMIT", 503));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service.PostAsync("/install", older)));
        service.Bitrix.Faults.Clear();

        Assert.True((bool)(await service.InstallAsync())["finished"]!);
        await service.EventuallyAsync(async () => await KeptAsync(service) == 0, "the kept one is done with");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service.WorkerAsync()));
    }

    [Fact]
    public async Task A_spooled_installation_changes_nothing_where_a_newer_one_is_stored()
    {
        await using var service = await Service.StartInstalledAsync();
        var older = service.Portal.EventFields("ONAPPINSTALL", userId: 4);
        older["auth[application_token]"] = "the-older-application-token";
        using var content = new FormUrlEncodedContent(older);

        Assert.True(await service.Get<SpooledEventHandler>().CarryOverAsync(
            service.Portal.MemberId, await content.ReadAsStringAsync(Token), DateTimeOffset.UtcNow - TimeSpan.FromMinutes(1), Token));

        Assert.Equal(1, (await service.StoredAsync())!.UserId);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service.WorkerAsync()));
    }

    [Fact]
    public async Task A_kept_installation_outlives_the_uninstallation_of_another_app()
    {
        await using var service = await Service.StartInstalledAsync();
        var second = service.Portal.AddApp("local.second.1", new string('s', 50));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service.PostAsync("/install", service.Portal.EventFields("ONAPPINSTALL", app: second))));

        await service.Portal.UninstallAsync(clean: true, Token);
        await service.EventuallyAsync(service.IsCleanAsync, "the first app is gone");
        Assert.Equal(1, await KeptAsync(service));

        await service.Get<AppRegistry>().AddAsync(new("second", "local.second.1", new(new string('s', 50)), null), Token);
        await service.EventuallyAsync(
            async () => await service.Get<PortalStore>().FindAsync(new(service.Portal.MemberId, "second"), Token) is { State: PortalState.Installed },
            "the second app is installed");
    }

    [Fact]
    public async Task A_system_users_tokens_are_not_lost_to_those_who_fail_at_the_same_address()
    {
        await using var service = await Service.StartAsync(FewAttempts);
        await service.InstallAndFinishAsync();
        var forged = service.Portal.EventFields("ONAPPUSERREADY", userId: 2);
        for (var i = 0; i < 4; i++)
            (await service.PostAsync("/events", forged)).Dispose();
        forged["auth[application_token]"] = "a-strangers";
        using (var refused = await service.PostAsync("/events", forged))
            await refused.AssertRefusedAsync(HttpStatusCode.TooManyRequests, "tooManyAttempts");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service.PostAsync("/events", service.Portal.EventFields("ONAPPUSERREADY"))));
        await service.EventuallyAsync(async () => (await service.StoredAsync())!.Reserve is not null, "there is a reserve");
    }

    [Fact]
    public async Task Forty_strangers_addresses_keep_nobody_from_being_heard()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentRequests"] = "256", ["Limits:ConcurrentConfirmations"] = "4096" });
        var another = await service.Bitrix.AddPortalAsync(Token);
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Delay(TimeSpan.FromSeconds(2)));
        var crowd = Enumerable.Range(0, 800).Select(i =>
        {
            var forged = another.EventFields("ONAPPINSTALL");
            (forged["auth[member_id]"], forged["auth[access_token]"]) = ($"{i:x32}", $"made-up-{i}");
            return FromAsync(service, $"198.51.100.{i % 40}", forged);
        }).ToList();
        await Task.Delay(500, Token);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(FromAsync(service, "192.0.2.7", service.Portal.EventFields("ONCRMDEALADD"))));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(FromAsync(service, "192.0.2.7", another.EventFields("ONAPPINSTALL"))));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(FromAsync(service, "192.0.2.7", service.Portal.EventFields("ONAPPUNINSTALL"))));
        foreach (var late in await Task.WhenAll(crowd))
            late.Dispose();
    }

    /// <summary>However many wait for one and the same answer.</summary>
    [Fact]
    public async Task A_silent_portal_takes_no_places_of_others_from_however_many_addresses()
    {
        await using var service = await Service.StartAsync(new() { ["Limits:ConcurrentRequests"] = "128" });
        var silent = await service.Bitrix.AddPortalAsync(Token);
        service.Bitrix.Faults.Set("rest:profile", Fault.Hang(), silent);
        var told = silent.EventFields("ONAPPINSTALL");
        var crowd = Enumerable.Range(0, 200).Select(i => FromAsync(service, $"198.51.100.{i % 40}", told)).ToList();
        await service.EventuallyAsync(() => crowd.Count(static c => !c.IsCompleted) <= 8, "the others are kept or refused at once", seconds: 6);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(FromAsync(service, "192.0.2.7", service.Portal.EventFields("ONAPPINSTALL"))));
        Assert.Equal(1, silent.Count("profile"));
        foreach (var late in await Task.WhenAll(crowd))
            late.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task However_often_one_user_asks_an_administrator_is_asked_about(bool isShutOut)
    {
        await using var service = await Service.StartAsync();
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Set("rest:profile", isShutOut ? Fault.Error("user_access_error", 403) : Fault.Until(goOn.Task));
        var crowd = Enumerable.Range(0, 60).Select(_ => service.PostAsync(service.Wizard(userId: 2), "application/json")).ToList();
        await service.EventuallyAsync(() => crowd.Count(static c => !c.IsCompleted) <= 8, "no more than eight wait");
        if (isShutOut)
            service.Bitrix.Faults.Clear();
        var installing = service.InstallAsync();
        goOn.SetResult();

        Assert.True((bool)(await installing)["finished"]!);
        foreach (var late in await Task.WhenAll(crowd))
            late.Dispose();
    }

    /// <summary>Each of them is asked about: he may be the administrator.</summary>
    [Fact]
    public async Task However_many_open_the_app_of_a_suspended_portal_an_administrator_installs_it_anew()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Bitrix24:RequestBurst"] = "8" });
        await service.Get<Database>().ExecuteAsync($"UPDATE portals SET state = {PortalState.Suspended}", Token);
        service.Get<PortalDirectory>().Clear();
        var office = new[] { 2, 3, 5 }.Select(user => service.PostAsync(
            service.Portal.LaunchFields("DEFAULT", userId: user, handler: service.Url.AbsoluteUri), "application/json")).ToList();
        await Task.Delay(500, Token);

        var outcome = await service.InstallAsync().WaitAsync(TimeSpan.FromSeconds(8), Token);

        Assert.True((bool)outcome["finished"]!, outcome.ToJsonString());
        foreach (var late in await Task.WhenAll(office))
            late.Dispose();
    }

    /// <summary>Whoever has another app that the administrator has opened has a token of his.</summary>
    [Fact]
    public async Task What_is_refused_to_another_apps_token_of_an_administrator_is_not_refused_to_his()
    {
        await using var service = await Service.StartAsync();
        var other = service.Portal.AddOtherApp();
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Next("rest:profile", Fault.Until(goOn.Task), 1);
        (await service.PostAsync("/events", service.Portal.EventFields("ONAPPINSTALL", app: other))).Dispose();
        await service.Portal.Calls.WaitAsync(static c => c.Method == "profile", 1, Token);

        var installing = service.PostAsync("/events", service.Portal.EventFields("ONAPPINSTALL"));
        await Task.Delay(500, Token);
        service.Portal.UninstallSilently(other);
        goOn.SetResult();

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(installing));
        Assert.Equal(PortalState.Installed, (await service.StoredAsync())?.State);
    }

    private static async Task<HttpResponseMessage> FromAsync(Service service, string address, Dictionary<string, string> fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/events") { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Add("X-Forwarded-For", address);
        return await service.Http.SendAsync(request, Token);
    }

    [Fact]
    public async Task A_system_users_tokens_wait_for_an_OAuth_server_that_does_not_answer()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service.PostAsync("/events", service.Portal.EventFields("ONAPPUSERREADY"))));
        Assert.Null((await service.StoredAsync())!.Reserve);

        service.Bitrix.Faults.Clear();

        await service.EventuallyAsync(async () => (await service.StoredAsync())!.Reserve is not null, "there is a reserve");
    }

    [Fact]
    public void However_long_an_application_token_is_little_of_it_is_kept()
    {
        const string Fields = "auth[member_id]=da45a03b265edd8787f8a258d793cc5d&auth[access_token]=a&auth[refresh_token]=r&auth[application_token]=";
        using var form = WireForm.Parse(null, Fields + new string('x', 60_000));
        Assert.Equal(2048, InstallClaim.Read(form, "", DateTimeOffset.UnixEpoch).Value!.ApplicationToken.Reveal().Length);

        const string Launch = "PLACEMENT=PAGE_BACKGROUND_WORKER&DOMAIN=a.example.com&PROTOCOL=1&LANG=en&APP_SID=x&member_id=da45a03b265edd8787f8a258d793cc5d&APPLICATION_TOKEN=";
        using var launch = WireForm.Parse(null, Launch + new string('x', 60_000));
        Assert.Equal(2048, PlacementParser.Parse(launch, new(PlacementCatalogue.BackgroundWorker)).Value!.ApplicationToken.Reveal().Length);
    }

    [Fact]
    public async Task However_long_an_event_of_the_app_is_little_of_it_waits()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        var tooLong = service.Portal.EventFields("ONAPPUSERREADY");
        tooLong["auth[server_endpoint]"] = new string('x', 40_000);
        tooLong["auth[scope]"] = new string('y', 10_000);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service.PostAsync("/events", tooLong)));

        var spooled = service.Folder.EnumerateFiles("*", SearchOption.AllDirectories).Where(static f => f.DirectoryName!.Contains("spool", StringComparison.Ordinal));
        Assert.InRange(spooled.Max(static f => f.Length), 1, 4_000);
    }

    [Fact]
    public async Task An_uninstallation_of_a_portal_that_is_not_in_memory_is_heard_though_others_have_failed_too_often()
    {
        await using var first = await Service.StartInstalledAsync();
        await first.StopAsync();
        await using var second = await Service.StartAsync(FewAttempts, first.Bitrix, first.Folder, port: first.Url.Port);
        for (var i = 0; i < 30; i++)
        {
            var forged = second.Portal.EventFields("ONCRMDEALADD");
            forged["auth[member_id]"] = i.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
            (await second.PostAsync("/events", forged)).Dispose();
        }

        await second.Portal.UninstallAsync(clean: true, Token);

        await second.EventuallyAsync(second.IsCleanAsync, "the portal is gone");
    }

    [Fact]
    public async Task However_a_users_pages_call_an_administrator_installs_the_app()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("rest:crm.deal.get", Fault.Hang());
        using var page = await service.LinkAsync(userId: 2);
        var session = (await page.Content.ReadAsStringAsync(Token)).Split("data-session=\"")[1].Split('"')[0];
        var read = await service.Get<PageSessions>().ReadAsync(session, Token);
        Assert.NotNull(read);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var calls = Enumerable.Range(0, 60).Select(_ => service.Get<RestClient>().CallAsUserAsync<JsonNode>(read, "crm.deal.get", cancellationToken: enough.Token)).ToList();

        Assert.True((bool)(await service.InstallAsync())["finished"]!);

        await enough.CancelAsync();
        await Task.WhenAll(calls).ContinueWith(static _ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task However_often_employees_ask_to_install_the_app_an_administrator_installs_it()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Bitrix24:RequestBurst"] = "8" });
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var refused = new ConcurrentDictionary<int, bool>();
        var employees = new[] { 2, 3, 5 }.Select(async employee =>
        {
            while (!enough.IsCancellationRequested)
            {
                if (await StatusAsync(service.PostAsync(service.Wizard(employee), "application/json")) == HttpStatusCode.OK)
                    refused[employee] = true;
            }
        }).ToList();
        await service.EventuallyAsync(() => refused.Count == 3, "each of them has heard that he is none", seconds: 60);

        using var installed = await service.PostAsync(service.Wizard(), "application/json");

        Assert.Equal(HttpStatusCode.OK, installed.StatusCode);
        Assert.True((bool)(await Service.JsonAsync(installed))["finished"]!);
        await enough.CancelAsync();
        await Task.WhenAll(employees);
    }

    private static async Task<HttpStatusCode> StatusAsync(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        return answer.StatusCode;
    }

    private static async Task<int> KeptAsync(Service service) => (await service.Get<KeptInstallations>().ListAsync(Token)).Count;
}
