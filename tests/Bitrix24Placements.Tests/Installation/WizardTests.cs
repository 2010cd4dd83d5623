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

    [Theory]
    [InlineData("https://app.example.com/b24")]
    [InlineData("https://app.example.com/b24/")]
    public async Task Everything_is_registered_below_the_public_address(string publicUrl)
    {
        await using var service = await Service.StartAsync(new() { ["Bitrix24:PublicUrl"] = publicUrl });

        Assert.True((bool)(await service.InstallAsync())["finished"]!);

        Assert.Equal(
            ["https://app.example.com/b24/placements/page-background-worker", "https://app.example.com/b24/placements/rest-app-uri"],
            service.Portal.Placements.Select(p => p.Handler).Order());
        Assert.StartsWith("https://app.example.com/b24/placements/page-background-worker/removed/", service.Portal.RemovalUrl(), StringComparison.Ordinal);
        Assert.All(service.Portal.EventHandlers, e => Assert.Equal("https://app.example.com/b24/events", e.Handler));
    }

    [Fact]
    public async Task Without_a_public_address_nothing_is_registered_and_the_reason_is_told()
    {
        await using var service = await Service.StartAsync(new() { ["Bitrix24:PublicUrl"] = null });

        (await service.InstallAsync()).AssertAllFailed("notConfigured");

        Assert.Empty(service.Portal.Placements);
    }

    [Fact]
    public async Task Every_registration_has_titles_in_the_languages_of_the_service()
    {
        await using var service = await Service.StartInstalledAsync();

        Assert.All(service.Portal.Placements, p => Assert.Equal(["br", "de", "en", "la", "ru"], p.LangAll.Select(l => l.Key).Order()));
        Assert.All(service.Portal.Placements, p => Assert.NotEqual("", p.Title));
    }
}
