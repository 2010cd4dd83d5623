using System.Collections.Concurrent;
using System.Net;
using Bitrix24Placements.Events;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Events;

/// <summary>What was believed and answered 200 while the database was away is not judged anew by what has changed since.</summary>
public sealed class SpooledBeliefTests(ThrowawayPostgres postgres)
{
    private const string DealAdded = "ONCRMDEALADD";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_is_handled_though_an_update_has_brought_another_application_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<EventRequest>();
        new Endpoints(service.Get<IServiceProvider>()).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e));
        await using (await SpoolAsync(service, "inbox", service.Portal.EventFields(DealAdded)))
        {
            await service.Portal.UpdateAsync(cancellationToken: Token);
            await service.EventuallyAsync(
                async () => (await service.WorkerAsync()).StatusCode == HttpStatusCode.OK, "the new application token is known");
        }

        await service.EventuallyAsync(() => !told.IsEmpty, "the event is handled");
        Assert.Equal(service.Portal.Id, Assert.Single(told).Portal.Id);
        await service.EventuallyAsync(() => service.Get<Spool>().List() is [], "the spool is empty");
    }

    [Theory]
    [InlineData(true, StorageProvider.Sqlite)]
    [InlineData(false, StorageProvider.Sqlite)]
    [InlineData(true, StorageProvider.PostgreSql)]
    public async Task What_came_before_what_comes_when_the_database_is_back_is_handled_before_it(bool isInMemory, StorageProvider provider)
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        await using var service = await Service.StartInstalledAsync(
            provider == StorageProvider.Sqlite ? null : Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(folder, "spool")));
        var told = new ConcurrentQueue<string>();
        new Endpoints(service.Get<IServiceProvider>()).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e.Data.GetProperty("FIELDS").GetProperty("ID").GetString()!));
        Dictionary<string, string> Deal(string id) => new(service.Portal.EventFields(DealAdded)) { ["data[FIELDS][ID]"] = id };
        if (!isInMemory)
            service.Get<PortalDirectory>().Clear();
        await using (await SpoolAsync(service, isInMemory ? "inbox" : "portals", [.. Enumerable.Range(0, 5).Select(i => Deal($"spooled {i}"))]))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), Token);
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, Deal("live")));
            await Task.Delay(TimeSpan.FromSeconds(3), Token);
            Assert.Empty(told);
        }

        await service.EventuallyAsync(() => told.Count == 6, "all are handled");
        Assert.Equal(["spooled 0", "spooled 1", "spooled 2", "spooled 3", "spooled 4", "live"], told);
        await service.StopAsync();
        folder.Delete(true);
    }

    [Theory]
    [InlineData("employee's, genuine")]
    [InlineData("genuine, then the employee's live")]
    public async Task Of_two_notices_the_one_that_keeps_the_row_wins_whichever_comes_first(string order)
    {
        await using var service = await Service.StartInstalledAsync();
        var (genuine, employees) = (Notice(service, clean: false), Notice(service, clean: true));
        service.Portal.UninstallSilently();
        var isLive = order.EndsWith("live", StringComparison.Ordinal);
        await using (await SpoolAsync(service, "work", isLive ? [genuine] : [employees, genuine]))
        {
            if (isLive)
            {
                (await service.PostAsync("/events", employees)).Dispose();
                await StaysInstalledAsync(service);
            }
        }

        await IsUninstalledAsync(service);
        await KeepsItsRowAsync(service);
    }

    [Fact]
    public async Task A_notice_that_keeps_the_row_wins_though_nobody_has_opened_the_portal_since_the_start()
    {
        await using var before = await Service.StartInstalledAsync();
        await before.StopAsync();
        await using var service = await Service.StartAsync(bitrix: before.Bitrix, folder: before.Folder);
        var (genuine, employees) = (Notice(service, clean: false), Notice(service, clean: true));
        service.Portal.UninstallSilently();
        await using (await SpoolAsync(service, "portals", genuine))
        {
            (await service.PostAsync("/events", employees)).Dispose();
            await StaysInstalledAsync(service);
        }

        await IsUninstalledAsync(service);
        await KeepsItsRowAsync(service);
    }

    [Fact]
    public async Task Nor_does_a_notice_of_somebody_who_does_not_know_the_application_token_hold_up_the_genuine_one()
    {
        await using var service = await Service.StartInstalledAsync();
        var (genuine, madeUp) = (Notice(service, clean: true), Notice(service, clean: false));
        madeUp["auth[application_token]"] = "made-up";
        service.Portal.UninstallSilently();
        service.Get<PortalDirectory>().Clear();
        await using (await SpoolAsync(service, "portals", madeUp, genuine))
            await service.EventuallyAsync(service.IsCleanAsync, "the genuine one is carried out", seconds: 25);
    }

    [Fact]
    public async Task However_often_an_employee_says_so_a_notice_that_keeps_the_row_finds_room()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.UninstallSilently();
        await using (await SpoolAsync(service, "work", Notice(service, clean: true)))
        {
        }

        await service.Get<Database>().ExecuteAsync("ALTER TABLE work RENAME TO away", Token);
        var told = Notice(service, clean: true);
        for (var i = 0; await StatusAsync(service, told) != HttpStatusCode.ServiceUnavailable; i++)
            Assert.True(i < SpoolShares.MaxOfKey, "they are bounded");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, Notice(service, clean: false)));
        await service.Get<Database>().ExecuteAsync("ALTER TABLE away RENAME TO work", Token);
        await IsUninstalledAsync(service);
        await KeepsItsRowAsync(service);
    }

    [Fact]
    public async Task Events_that_came_before_an_uninstallation_are_handled_however_long_they_take_to_be_carried_over()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<EventRequest>();
        new Endpoints(service.Get<IServiceProvider>()).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e));
        await using (await SpoolAsync(service, "work", service.Portal.EventFields(DealAdded), Notice(service, clean: false)))
        {
            service.Portal.UninstallSilently();
            await StaysInstalledAsync(service);
        }

        await IsUninstalledAsync(service);

        Assert.Single(told);
    }

    /// <summary>Another instance does not see what this one has in its spool.</summary>
    [Fact]
    public async Task An_event_that_was_believed_is_handled_though_its_portal_has_uninstalled_the_app_since()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<EventRequest>();
        new Endpoints(service.Get<IServiceProvider>()).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e));
        await using (await SpoolAsync(service, "inbox", service.Portal.EventFields(DealAdded)))
        {
            var portal = (await service.StoredAsync())!;
            Assert.True(await service.Get<PortalStore>().UninstallAsync(portal, static _ => false, static (_, _) => Task.CompletedTask, Token));
        }

        await service.EventuallyAsync(() => !told.IsEmpty, "the event is handled");
    }

    /// <summary>The update that brings its application_token may wait in another instance's spool.</summary>
    [Fact]
    public async Task An_event_whose_application_token_is_not_known_yet_is_looked_at_again_and_keeps_no_other_waiting()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<string>();
        new Endpoints(service.Get<IServiceProvider>()).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e.Data.GetProperty("FIELDS").GetProperty("ID").GetString()!));
        var (unknown, known) = (service.Portal.EventFields(DealAdded), service.Portal.EventFields(DealAdded));
        (unknown["auth[application_token]"], unknown["data[FIELDS][ID]"]) = ("a-new-application-token", "unknown");
        known["data[FIELDS][ID]"] = "known";
        service.Get<PortalDirectory>().Clear();
        await (await SpoolAsync(service, "portals", unknown, known)).DisposeAsync();
        await service.EventuallyAsync(() => told.Contains("known"), "the other is handled", seconds: 8);

        await service.Get<Database>().ExecuteAsync(
            $"UPDATE portals SET application_token_hash = {ApplicationToken.Hash("a-new-application-token")}", Token);

        await service.EventuallyAsync(() => told.Contains("unknown"), "so is this one");
    }

    [Fact]
    public async Task Each_entry_has_time_of_its_own_for_its_application_token_to_become_known()
    {
        var time = new ShiftedTime();
        await using var service = await Service.StartAsync(services: time.Register);
        await service.InstallAsync();
        var unknown = service.Portal.EventFields(DealAdded);
        unknown["auth[application_token]"] = "a-new-application-token";
        using var content = new FormUrlEncodedContent(unknown);
        var text = await content.ReadAsStringAsync(Token);
        Task<bool> LookAsync(string key) => service.Get<SpooledEventHandler>().CarryOverAsync(key, text, time.GetUtcNow(), Token);
        Assert.False(await LookAsync("a stranger's"));

        time.Shift(SpooledEventHandler.TimeForOthers);

        Assert.False(await LookAsync("its own"));
    }

    [Fact]
    public async Task A_claim_that_the_portal_refuses_keeps_none_after_it_waiting()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("rest:profile", Fault.Error("user_access_error", 403));
        service.Get<PortalDirectory>().Clear();
        await (await SpoolAsync(service, "portals", service.Portal.EventFields("ONAPPUPDATE", userId: 2))).DisposeAsync();

        await service.EventuallyAsync(() => service.Get<Spool>().List() is [], "it is dropped", seconds: 30);
    }

    [Fact]
    public async Task What_a_system_user_brings_waits_for_an_installation_that_another_instance_has_spooled()
    {
        await using var service = await Service.StartAsync();
        await service.Get<Database>().ExecuteAsync(Renamed("portals", "away"), Token);
        Assert.Equal(200, (await service.Portal.InstallAsync(apiOnly: true, cancellationToken: Token))?.Status);
        Assert.Equal([200], (await service.Portal.SendEventAsync("ONAPPUSERREADY", cancellationToken: Token)).Select(static d => d.Status));
        await using (await HoldFirstAsync(service))
        {
            await service.Get<Database>().ExecuteAsync(Renamed("away", "portals"), Token);
            await Task.Delay(TimeSpan.FromSeconds(3), Token);
        }

        await service.EventuallyAsync(
            async () => (await service.StoredAsync())?.Reserve is { IsAdministrator: false }, "they are the reserve", seconds: 30);
    }

    [Fact]
    public async Task So_it_does_for_one_that_is_being_confirmed_from_the_spool_when_it_comes()
    {
        await using var service = await Service.StartAsync();
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Set("rest:profile", Fault.Until(goOn.Task));
        await (await SpoolAsync(service, "portals", service.Portal.EventFields("ONAPPINSTALL"))).DisposeAsync();
        await service.Portal.Calls.WaitAsync(static c => c.Method == "profile", 1, Token);

        var telling = StatusAsync(service, service.Portal.EventFields("ONAPPUSERREADY"));
        await Task.Delay(300, Token);
        goOn.SetResult();

        Assert.Equal(HttpStatusCode.OK, await telling);
        Assert.NotNull((await service.StoredAsync())!.Reserve);
    }

    [Fact]
    public async Task Before_an_uninstallation_that_was_spooled_other_instances_have_time_to_carry_over_what_they_were_told()
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        await using (var service = await Service.StartInstalledAsync(
            Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(folder, "spool"))))
        {
            service.Portal.UninstallSilently();
            await using (await SpoolAsync(service, "work", Notice(service, clean: true)))
            {
            }

            await StaysInstalledAsync(service);
            await IsUninstalledAsync(service);
        }

        folder.Delete(true);
    }

    /// <summary>Otherwise it would count as the earlier one, whose void tokens would be its reserve.</summary>
    [Theory]
    [InlineData("in the spool")]
    [InlineData("by the wizard")]
    public async Task An_installation_is_another_one_where_an_uninstallation_before_it_is_still_in_the_spool(string how)
    {
        await using var service = await Service.StartInstalledAsync();
        var earlier = (await service.StoredAsync())!.Epoch;
        var notice = Notice(service, clean: false);
        service.Portal.UninstallSilently();
        await using (await SpoolAsync(service, "work", notice))
        {
            if (how == "by the wizard")
            {
                await service.Portal.InstallAsync(userId: 4, cancellationToken: Token);
                await service.InstallAsync(userId: 4);
            }
            else
            {
                await service.Get<Database>().ExecuteAsync(Renamed("work", "away"), Token);
                Assert.Equal(200, (await service.Portal.InstallAsync(apiOnly: true, userId: 4, cancellationToken: Token))?.Status);
                await service.Get<Database>().ExecuteAsync(Renamed("away", "work"), Token);
            }

            await service.EventuallyAsync(async () => (await service.StoredAsync())!.UserId == 4, "it is installed anew", seconds: 30);
        }

        await service.EventuallyAsync(() => service.Get<Spool>().List() is [], "the notice is heard");
        await StaysInstalledAsync(service);
        var portal = (await service.StoredAsync())!;
        Assert.NotEqual(earlier, portal.Epoch);
        Assert.Equal((4, null), (portal.UserId, portal.Reserve));
    }

    [Fact]
    public async Task An_installation_in_the_spool_is_not_pushed_out_by_others_of_its_portal_from_another_address()
    {
        await using var service = await Service.StartAsync(new() { ["ForwardedHeaders:KnownProxies:0"] = "127.0.0.1" });
        var genuine = service.Portal.EventFields("ONAPPINSTALL");
        var madeUp = Enumerable.Range(0, 4).Select(i => new Dictionary<string, string>(genuine) { ["auth[access_token]"] = $"made-up-{i}" });
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        await service.Get<Database>().ExecuteAsync("ALTER TABLE work RENAME TO away", Token);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, genuine, "192.0.2.1"));
        foreach (var fields in madeUp)
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, fields, "192.0.2.2"));
        await service.Get<Database>().ExecuteAsync("ALTER TABLE away RENAME TO work", Token);
        await service.EventuallyAsync(() => service.Get<Spool>().List() is [], "they are carried over");

        service.Bitrix.Faults.Clear();

        await service.EventuallyAsync(async () => (await service.StoredAsync())?.State == PortalState.Installed, "it is installed", seconds: 30);
    }

    private static Dictionary<string, string> Notice(Service service, bool clean)
    {
        var fields = service.Portal.EventFields("ONAPPUNINSTALL", userId: clean ? 2 : 1);
        fields["data[CLEAN]"] = clean ? "1" : "0";
        return fields;
    }

    private static async Task<HttpStatusCode> StatusAsync(Service service, Dictionary<string, string> fields, string address = "127.0.0.1")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/events") { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Add("X-Forwarded-For", address);
        using var answer = await service.Http.SendAsync(request, Token);
        return answer.StatusCode;
    }

    private static Task IsUninstalledAsync(Service service) => service.EventuallyAsync(
        async () => (await service.StoredAsync())?.State == PortalState.Uninstalled, "it is uninstalled", seconds: 30);

    private static async Task StaysInstalledAsync(Service service)
    {
        await Task.Delay(UninstallWork.ChecksApart + TimeSpan.FromSeconds(3), Token);
        Assert.Equal(PortalState.Installed, (await service.StoredAsync())!.State);
    }

    private static async Task KeepsItsRowAsync(Service service) =>
        Assert.False(await service.Get<Database>().AnyAsync("SELECT 1 FROM portals WHERE delete_at IS NOT NULL", Token));

    /// <summary>Told while a table is away. The first entry waits until what is returned is disposed of, and the others after it.</summary>
    private static async Task<FileStream> SpoolAsync(Service service, string table, params Dictionary<string, string>[] events)
    {
        var database = service.Get<Database>();
        await database.ExecuteAsync(Renamed(table, "away"), Token);
        foreach (var fields in events)
        {
            using var answer = await service.PostAsync("/events", fields);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var held = await HoldFirstAsync(service);
        await database.ExecuteAsync(Renamed("away", table), Token);
        return held;
    }

    private static async Task<FileStream> HoldFirstAsync(Service service)
    {
        FileStream? held = null;
        var spool = service.Get<Spool>();
        await service.EventuallyAsync(() => (held = spool.Hold(spool.List()[0])) is not null, "it is held");
        return held!;
    }

    private static Sql Renamed(string from, string to) => (Sql)$"ALTER TABLE {(Sql)from} RENAME TO {(Sql)to}";
}
