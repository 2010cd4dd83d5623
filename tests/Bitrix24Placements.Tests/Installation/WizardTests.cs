using System.Net;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

public sealed class WizardTests
{
    [Fact]
    public async Task An_administrator_installs_and_both_placements_and_events_are_registered()
    {
        await using var service = await Service.StartAsync();

        var outcome = await service.InstallAsync();

        Assert.True((bool?)outcome["finished"], outcome.ToJsonString() + string.Join("\n", service.Logs));
        Assert.Equal(service.Portal.MemberId, (string)outcome["portal"]!["memberId"]!);
        Assert.Equal(["REST_APP_URI", "PAGE_BACKGROUND_WORKER"], outcome["placements"]!.AsArray().Select(p => (string)p!["placement"]!));
        Assert.All(outcome["placements"]!.AsArray(), p => Assert.Equal("registered", (string)p!["state"]!));
        Assert.Equal(
            [("PAGE_BACKGROUND_WORKER", service.Url + "placements/page-background-worker"), ("REST_APP_URI", service.Url + "placements/rest-app-uri")],
            service.Portal.Placements.Select(p => (p.Placement, p.Handler)).Order());
        Assert.Equal([("ONAPPUNINSTALL", service.Url + "events"), ("ONAPPUPDATE", service.Url + "events")], service.Portal.EventHandlers.Select(e => (e.Event, e.Handler)).Order());
    }

    [Fact]
    public async Task Pages_and_context_are_served_after_the_installation()
    {
        await using var service = await Service.StartInstalledAsync();

        using var worker = await service.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        using var link = await service.LinkAsync(userId: 2, accept: "application/json", options: new() { ["docId"] = "42" });
        var context = await Service.JsonAsync(link);
        Assert.Equal("accessToken", (string)context["verification"]!);
        Assert.Equal(2, (int)context["userId"]!);
        Assert.Equal("42", (string)context["options"]!["parameters"]!["docId"]!);
        using var app = await service.AppPageAsync();
        Assert.Equal(HttpStatusCode.OK, app.StatusCode);
    }

    [Fact]
    public async Task An_uninstallation_ends_everything()
    {
        await using var service = await Service.StartInstalledAsync();
        using (var before = await service.WorkerAsync())
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        await service.Portal.UninstallAsync(clean: true, TestContext.Current.CancellationToken);

        await service.EventuallyAsync(async () => (await service.WorkerAsync(accept: "application/json")).StatusCode == HttpStatusCode.Forbidden, "the worker is refused");
    }
}
