using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Events;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Events;

/// <summary>What Bitrix24 tells reaches the handler that was mapped for it: once it is stored, and at least once.</summary>
public sealed class EventHandlerTests
{
    private const string DealAdded = "ONCRMDEALADD";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_handler_gets_the_event_with_its_data_nested_and_services_beside_it()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<EventRequest>();
        Map(service).MapEvent("OnCrmDealAdd", (EventRequest e, PortalSignals signals, CancellationToken cancellationToken) =>
        {
            Assert.NotNull(signals);
            told.Enqueue(e);
        });
        var fields = service.Portal.EventFields("onCrmDealAdd", userId: 4, data: new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = 5, ["LIST"] = new JsonArray("a", "b") } });

        using var answer = await service.PostAsync("/events", fields);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await service.EventuallyAsync(() => !told.IsEmpty, "the handler was called");
        var e = Assert.Single(told);
        Assert.Equal((DealAdded, service.Portal.Id, 4L, "default", service.Bitrix.Options.ClientId), (e.Name, e.Portal.Id, e.UserId, e.App.Name, e.App.ClientId));
        Assert.Equal("""{"FIELDS":{"ID":"5","LIST":{"0":"a","1":"b"}}}""", e.Data.GetRawText());
        Assert.InRange(DateTimeOffset.UtcNow - e.Timestamp, TimeSpan.FromSeconds(-5), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_burst_of_a_portals_events_is_heard()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<string>();
        Map(service).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e.Id));
        (await service.WorkerAsync()).Dispose();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => service.PostAsync("/events", service.Portal.EventFields(
            DealAdded, data: new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = i } }))));

        Assert.All(answers, static a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        await service.EventuallyAsync(() => told.Distinct().Count() == 100, "all are handled");
    }

    [Fact]
    public async Task A_repeat_has_the_same_id_and_is_handled_once()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<string>();
        Map(service).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e.Id));
        var first = service.Portal.EventFields(DealAdded);

        foreach (var fields in new[] { first, first, service.Portal.EventFields(DealAdded, data: new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = 6 } }) })
        {
            using var answer = await service.PostAsync("/events", fields);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await service.EventuallyAsync(() => told.Count >= 2, "both events were handled");
        await service.EventuallyAsync(async () => (await service.Get<InboxStore>().CountAsync(Token)).Waiting == 0, "nothing waits");
        Assert.Equal(2, told.Distinct().Count());
        Assert.Equal(2, told.Count);
    }

    [Fact]
    public async Task One_that_throws_is_called_again_with_the_same_id_while_other_portals_go_on()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await service.Bitrix.AddPortalAsync(Token);
        await service.InstallAsync(other);
        var told = new ConcurrentQueue<(string MemberId, string Deal, string Id)>();
        Map(service).MapEvent(DealAdded, (EventRequest e) =>
        {
            told.Enqueue((e.Portal.MemberId, e.Data.GetProperty("FIELDS").GetProperty("ID").GetString()!, e.Id));
            if (e.Portal.Id == service.Portal.Id && told.Count(t => t.MemberId == service.Portal.MemberId) == 1)
                throw new InvalidOperationException("The handler's own trouble.");
        });

        await TellAsync(service, service.Portal, 1);
        await service.EventuallyAsync(() => !told.IsEmpty, "the handler was called");
        await TellAsync(service, service.Portal, 2);
        await TellAsync(service, other, 3);

        await service.EventuallyAsync(() => told.Count == 4, "all are handled");
        Assert.Equal(["1", "1", "2"], told.Where(t => t.MemberId == service.Portal.MemberId).Select(t => t.Deal));
        Assert.Single(told.Where(t => t.Deal == "1").Select(t => t.Id).Distinct());
        Assert.Contains(service.Logs, l => l.StartsWith("Warning", StringComparison.Ordinal) && l.Contains("The handler's own trouble.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_flood_of_one_portal_does_not_hold_up_the_others()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await service.Bitrix.AddPortalAsync(Token);
        await service.InstallAsync(other);
        var (flooding, others) = (0, 0);
        var goOn = new TaskCompletionSource();
        Map(service).MapEvent(DealAdded, async (EventRequest e, CancellationToken cancellationToken) =>
        {
            if (e.Portal.Id == other.Id)
                Interlocked.Increment(ref others);
            else if (Interlocked.Increment(ref flooding) > 1)
                await goOn.Task.WaitAsync(cancellationToken);
        });

        for (var i = 0; i < 60; i++)
            await TellAsync(service, service.Portal, i);
        await service.EventuallyAsync(() => flooding == 2, "the flood is being handled");
        for (var i = 0; i < 5; i++)
            await TellAsync(service, other, i);

        await service.EventuallyAsync(() => others == 5, "the other portal's are handled");
        // One at a time, and the rest of them wait.
        Assert.Equal(2, flooding);
        goOn.SetResult();
        await service.EventuallyAsync(() => flooding == 60, "the flood is handled as well");
    }

    [Fact]
    public async Task What_nobody_handles_is_answered_and_not_kept_and_what_is_forged_is_refused()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<EventRequest>();
        Map(service).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e));

        foreach (var name in new[] { "ONTASKADD", "ONAPPTEST" })
        {
            using var ignored = await service.PostAsync("/events", service.Portal.EventFields(name));
            Assert.Equal(HttpStatusCode.OK, ignored.StatusCode);
        }

        var forged = service.Portal.EventFields(DealAdded);
        forged["auth[application_token]"] = "another";
        using var refused = await service.PostAsync("/events", forged);
        await refused.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Equal(new(0, 0), await service.Get<InboxStore>().CountAsync(Token));
        Assert.Empty(told);
    }

    [Fact]
    public async Task Its_event_is_bound_at_the_installation_and_events_of_earlier_handlers_are_not()
    {
        await using var service = await Service.StartAsync();
        Map(service).MapEvent(DealAdded, (EventRequest e) => { });
        await service.InstallAsync();
        Assert.Equal(["ONAPPUNINSTALL", "ONAPPUPDATE", DealAdded], service.Portal.EventHandlers.Select(static h => h.Event.ToUpperInvariant()).Order(StringComparer.Ordinal));

        await using var second = await Service.StartAsync(bitrix: service.Bitrix, folder: service.Folder, port: Service.FreePort());
        await second.InstallAsync();

        Assert.Equal(["ONAPPUNINSTALL", "ONAPPUPDATE"], service.Portal.EventHandlers.Select(static h => h.Event.ToUpperInvariant()).Order(StringComparer.Ordinal));
        Assert.All(service.Portal.EventHandlers, h => Assert.Equal(second.Url + "events", h.Handler));
    }

    [Fact]
    public async Task An_installation_and_an_uninstallation_are_told_too()
    {
        await using var service = await Service.StartAsync();
        var told = new ConcurrentQueue<object>();
        Map(service)
            .MapInstalled((InstalledEvent e) => told.Enqueue(e))
            .MapUninstalled((e, _, _) =>
            {
                told.Enqueue(e);
                return Task.CompletedTask;
            });

        await service.InstallAndFinishAsync();
        await service.EventuallyAsync(() => told.Count == 1, "the installation is told");
        await service.Portal.UninstallAsync(clean: true, Token);
        await service.EventuallyAsync(() => told.Count == 2, "the uninstallation is told");

        var installed = Assert.IsType<InstalledEvent>(told.First());
        var uninstalled = Assert.IsType<UninstalledEvent>(told.Last());
        Assert.Equal((service.Portal.Id, service.Portal.Id, true), (installed.Portal.Id, uninstalled.Portal.Id, uninstalled.Clean));
    }

    [Fact]
    public async Task An_installation_is_told_though_the_first_attempt_to_tell_it_was_cut_off()
    {
        await using var service = await Service.StartAsync();
        var told = new ConcurrentQueue<string>();
        Map(service).MapInstalled((InstalledEvent e) => told.Enqueue(e.Id));
        await service.Get<Database>().ExecuteAsync("ALTER TABLE inbox RENAME TO away", Token);

        await service.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        await service.EventuallyAsync(() => service.Logs.Any(static l => l.Contains("cannot be asked for work", StringComparison.Ordinal)), "it could not be told");
        await service.Get<Database>().ExecuteAsync("ALTER TABLE away RENAME TO inbox", Token);

        await service.EventuallyReconciledAsync();
        await service.EventuallyAsync(() => !told.IsEmpty, "the installation is told");
    }

    [Fact]
    public async Task So_it_is_where_a_removal_notice_comes_meanwhile()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<string>();
        Map(service).MapInstalled((InstalledEvent e) => told.Enqueue(e.Id));
        await service.Get<Database>().ExecuteAsync("ALTER TABLE inbox RENAME TO away", Token);

        (await service.PostAsync("/install", service.Portal.EventFields("ONAPPINSTALL"))).Dispose();
        await service.EventuallyAsync(() => service.Logs.Any(static l => l.Contains("cannot be asked for work", StringComparison.Ordinal)), "it could not be told");
        await service.Portal.RemoveWorkerAsync(cancellationToken: Token);
        await service.Get<Database>().ExecuteAsync("ALTER TABLE away RENAME TO inbox", Token);

        await service.EventuallyReconciledAsync();
        await service.EventuallyAsync(() => !told.IsEmpty, "the installation is told");
    }

    [Fact]
    public async Task An_installation_is_told_once_however_often_its_placements_have_to_be_tried()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await Service.StartAsync(bitrix: bitrix, services: time.Register);
        var told = new ConcurrentQueue<string>();
        Map(service).MapInstalled((InstalledEvent e) => told.Enqueue(e.Id));
        bitrix.Faults.Set(Steps.Bind, Fault.Error("SOMETHING_NEW", 400));
        await service.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        await service.EventuallyAsync(() => !told.IsEmpty, "the installation is told");
        await service.EventuallyAsync(async () => await service.DueInAsync(WorkKind.Reconcile) > 0, "its placements are tried again later");

        // What was handled is remembered for two days.
        await service.Get<Database>().ExecuteAsync("DELETE FROM inbox", Token);
        bitrix.Faults.Clear();
        time.Shift(TimeSpan.FromMinutes(2));

        await service.EventuallyReconciledAsync();
        await Task.Delay(500, Token);
        Assert.Single(told);
    }

    [Fact]
    public async Task Two_handlers_for_one_event_or_one_for_the_apps_own_are_an_error_of_the_program()
    {
        await using var service = await Service.StartAsync();
        var endpoints = Map(service).MapEvent(DealAdded, (EventRequest e) => { });

        var doubled = Assert.ThrowsAny<InvalidOperationException>(() => endpoints.MapEvent("onCrmDealAdd", (EventRequest e) => { })).ToString();
        Assert.Contains(DealAdded, doubled, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', doubled);
        var missing = Assert.ThrowsAny<InvalidOperationException>(() => endpoints.MapEvent("ONCRMLEADADD", (EventRequest e, IDisposable nobody) => { })).ToString();
        Assert.Contains("nobody", missing, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', missing);
        Assert.Throws<ArgumentException>(() => endpoints.MapEvent("ONAPPINSTALL", (EventRequest e) => { }));
        Assert.Throws<ArgumentException>(() => endpoints.MapEvent("no name", (EventRequest e) => { }));
    }

    private static Endpoints Map(Service service) => new(service.Get<IServiceProvider>());

    private static async Task TellAsync(Service service, SimPortal portal, int deal)
    {
        using var answer = await service.PostAsync("/events", portal.EventFields(DealAdded, data: new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = deal } }));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
