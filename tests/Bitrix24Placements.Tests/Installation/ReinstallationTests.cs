using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>However often, from wherever: exactly one registration of each placement, at the present address.</summary>
public sealed class ReinstallationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Installing_twice_touches_nothing_that_is_right_already()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.Calls.Clear();

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
        Assert.Equal(["event.get", "placement.get", "profile"], service.Portal.Methods().Order());
    }

    [Fact]
    public async Task However_many_wizards_wait_for_a_portal_it_is_asked_once_for_all_that_came_meanwhile()
    {
        await using var service = await Service.StartInstalledAsync();
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Set("rest:placement.get", Fault.Until(goOn.Task));
        service.Portal.Calls.Clear();
        var first = service.InstallAsync();
        await service.Portal.Calls.WaitAsync(static c => c.Method == "placement.get", 1, Token);
        var others = Enumerable.Range(0, 8).Select(_ => service.InstallAsync()).ToList();
        await Task.Delay(TimeSpan.FromSeconds(2), Token);

        goOn.SetResult();

        Assert.All(await Task.WhenAll([first, .. others]), static o => Assert.True((bool)o["finished"]!, o.ToJsonString()));
        Assert.InRange(service.Portal.Count("placement.get"), 2, 3);
    }

    [Fact]
    public async Task Two_wizards_at_once_make_one_registration_each_and_both_finish()
    {
        await using var service = await Service.StartAsync();

        var outcomes = await Task.WhenAll(service.InstallAsync(), service.InstallAsync());

        Assert.All(outcomes, o => Assert.True((bool)o["finished"]!, o.ToJsonString()));
        Assert.True(service.IsRegistered());
        Assert.Equal(2, service.Portal.Count("placement.bind"));
        Assert.Equal(2, service.Portal.EventHandlers.Count);
    }

    [Fact]
    public async Task Registrations_of_older_deployments_are_moved()
    {
        await using var service = await Service.StartAsync();
        service.Portal.Register(Steps.Link, "https://old.example.com/placements/rest-app-uri");
        service.Portal.Register(Steps.Worker, "https://old.example.com/placements/page-background-worker", options: new() { ["errorHandlerUrl"] = "https://old.example.com/removed" });
        service.Portal.Bind("ONAPPUNINSTALL", "https://old.example.com/events");

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
        Assert.Equal([("ONAPPUNINSTALL", service.Url + "events"), ("ONAPPUPDATE", service.Url + "events")], service.Portal.EventHandlers.Select(e => (e.Event, e.Handler)).Order());
    }

    [Theory]
    [InlineData("ERROR_WRONG_HANDLER_URL")]
    [InlineData("ERROR_UNSUPPORTED_PROTOCOL")]
    public async Task An_address_that_the_portal_refuses_does_not_cost_the_one_that_works(string code)
    {
        await using var service = await Service.StartAsync();
        service.Portal.Register(Steps.Link, "https://old.example.com/placements/rest-app-uri");
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Error(code, 400));

        var outcome = await service.InstallAsync();

        Assert.Equal(code, (string)outcome.Placement(Steps.Link)["error"]!);
        Assert.Equal("https://old.example.com/placements/rest-app-uri", service.Portal.Placements.Single(p => p.Placement == Steps.Link).Handler);
    }

    [Fact]
    public async Task Duplicates_are_removed_and_the_right_one_stays()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.Register(Steps.Link, "https://old.example.com/placements/rest-app-uri");
        service.Portal.Register(Steps.Worker, service.Url + "placements/page-background-worker", userId: 2, options: new() { ["errorHandlerUrl"] = "https://old.example.com/removed" });
        service.Portal.Calls.Clear();

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
        Assert.Equal(2, service.Portal.Count("placement.unbind"));
        Assert.Equal(0, service.Portal.Placements.Single(p => p.Placement == Steps.Worker).UserId);
    }

    [Fact]
    public async Task A_worker_whose_removal_would_be_told_elsewhere_is_bound_anew()
    {
        await using var service = await Service.StartAsync();
        service.Portal.Register(Steps.Worker, service.Url + "placements/page-background-worker", options: new() { ["errorHandlerUrl"] = "https://old.example.com/removed" });

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
        Assert.StartsWith(service.Url + "placements/page-background-worker/removed/", service.Portal.RemovalUrl(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_placements_of_the_app_and_other_apps_handlers_are_left_alone()
    {
        await using var service = await Service.StartAsync();
        service.Portal.Register("CRM_DEAL_DETAIL_TAB", "https://mine.example.com/tab");
        service.Portal.Bind("ONCRMDEALADD", "https://mine.example.com/events");

        await service.InstallAndFinishAsync();

        Assert.Contains(service.Portal.Placements, p => p.Placement == "CRM_DEAL_DETAIL_TAB");
        Assert.Contains(service.Portal.EventHandlers, e => e.Event == "ONCRMDEALADD");
        Assert.Equal(3, service.Portal.Placements.Count);
    }

    [Fact]
    public async Task A_moved_address_is_registered_in_the_background_after_the_next_start_and_only_once()
    {
        await using var first = await Service.StartInstalledAsync();
        var removalUrl = first.Portal.RemovalUrl()!;
        await first.StopAsync();

        await using (var second = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder))
        {
            await second.EventuallyReconciledAsync();
            Assert.Equal([second.Url + "events", second.Url + "events"], second.Portal.EventHandlers.Select(e => e.Handler));
            Assert.Equal(removalUrl.Split('/')[^1], second.Portal.RemovalUrl()!.Split('/')[^1]);
            await second.StopAsync();

            second.Portal.Calls.Clear();
            await using var third = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: second.Url.Port);
            using var signal = await third.ApiAsync("/api/signals", new JsonObject { ["memberId"] = third.Portal.MemberId, ["command"] = "test" });
            Assert.Empty(await third.Get<PortalStore>().OfOtherDeclarationAsync(third.Get<PlacementCatalogue>().Declaration, null, 10, Token));
            Assert.False(await third.HasWorkAsync(WorkKind.Reconcile));
            Assert.Equal(["pull.application.event.add"], third.Portal.Methods());
        }
    }

    [Fact]
    public async Task An_app_that_has_another_name_now_has_its_application_token_again()
    {
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        var app = bitrix.Portals[0].AddApp();
        Dictionary<string, string?> Named(string name) =>
            new() { [$"Bitrix24:Apps:{name}:ClientId"] = app.ClientId, [$"Bitrix24:Apps:{name}:ClientSecret"] = app.ClientSecret };
        await using var first = await Service.StartAsync(Named("shop"), bitrix);
        (await first.PostAsync(first.Wizard(app: app), "application/json")).Dispose();
        await first.StopAsync();

        await using var second = await Service.StartAsync(Named("store"), bitrix, first.Folder);
        (await second.PostAsync(second.Wizard(app: app), "application/json")).Dispose();

        using var worker = await second.PostAsync(second.Portal.LaunchFields(
            "PAGE_BACKGROUND_WORKER", handler: new Uri(second.Url, "/placements/page-background-worker").AbsoluteUri, app: app));
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
    }

    [Fact]
    public async Task A_silent_portal_is_moved_when_it_answers_again()
    {
        await using var first = await Service.StartInstalledAsync();
        await first.StopAsync();
        first.Bitrix.Faults.Next("rest:placement.unbind", PortalSimulator.Fault.Drop());

        await using var second = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder);

        await second.EventuallyReconciledAsync();
    }
}
