using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Microsoft.Extensions.DependencyInjection;

namespace Bitrix24Placements.Tests.Simulator;

public sealed class InstalledAppTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_app_is_started_and_installed_in_one_line_and_answers_what_its_users_open()
    {
        await using var portal = await InstalledApp<Program>.StartAsync(cancellationToken: Token);

        Assert.True(portal.Portal.App.InstallFinished);
        var address = portal.Url.AbsoluteUri;
        Assert.All(portal.Portal.Placements, placement => Assert.StartsWith(address, placement.Handler, StringComparison.Ordinal));
        using var link = await portal.LinkAsync(new() { ["docId"] = "42" }, 2, "application/json", Token);
        var launch = JsonNode.Parse(await link.Content.ReadAsStringAsync(Token))!;
        Assert.Equal(("42", 2), ((string?)launch["options"]!["parameters"]!["docId"], (int)launch["userId"]!));
        using var worker = await portal.WorkerAsync(cancellationToken: Token);
        using var page = await portal.AppPageAsync(cancellationToken: Token);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (worker.StatusCode, page.StatusCode));
        Assert.NotEmpty(portal.Logs);
        await Assert.ThrowsAsync<InvalidOperationException>(() => portal.PlacementAsync("CRM_DEAL_DETAIL_TAB", cancellationToken: Token));
    }

    [Fact]
    public async Task A_page_asks_with_its_own_session_and_the_next_start_finds_the_data()
    {
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var port = LoopbackPort.Free();
        await using (var first = await InstalledApp<Program>.StartAsync(
            bitrix: bitrix, folder: folder, port: port, cancellationToken: Token))
        {
            using var page = await first.LinkAsync(new() { ["docId"] = "42" }, userId: 2, cancellationToken: Token);
            using var context = await first.FetchAsync(page, HttpMethod.Get, "/api/context", cancellationToken: Token);
            Assert.Equal(2, (int)JsonNode.Parse(await context.Content.ReadAsStringAsync(Token))!["userId"]!);
        }

        await using (var second = await InstalledApp<Program>.StartAsync(
            bitrix: bitrix, install: false, folder: folder, port: port, cancellationToken: Token))
        {
            using var worker = await second.WorkerAsync(cancellationToken: Token);
            Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Settings_services_and_a_shared_Bitrix24_can_be_passed()
    {
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        await using (var portal = await InstalledApp<Program>.StartAsync(
            new Dictionary<string, string?> { ["Bitrix24:ClientId"] = null, ["Bitrix24:ClientSecret"] = null },
            services => services.AddSingleton(new Marker("mine")),
            bitrix,
            install: false,
            cancellationToken: Token))
        {
            Assert.Equal("mine", portal.Services.GetRequiredService<Marker>().Text);
            Assert.Empty(portal.Portal.Placements);
            var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => portal.InstallAsync(cancellationToken: Token));
            Assert.Contains("The installation failed", failed.Message, StringComparison.Ordinal);
        }

        using var alive = await Asking.Http.GetAsync($"{bitrix.Portals[0].Url}/", Token);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    private sealed record Marker(string Text);
}
