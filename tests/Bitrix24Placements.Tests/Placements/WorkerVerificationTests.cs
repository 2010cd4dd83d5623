using System.Net;
using Bitrix24Placements.Tests.Harness;
using Microsoft.Data.Sqlite;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>The worker runs on every page of every user: it is answered from memory.</summary>
public sealed class WorkerVerificationTests
{
    [Fact]
    public async Task Thirty_loads_cause_no_call_and_read_no_database()
    {
        await using var service = await Service.StartInstalledAsync();
        using (var first = await service.WorkerAsync())
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        var calls = (service.Bitrix.OAuth.Calls.Count, service.Portal.Calls.Count);
        await HideTheTableAsync(service);

        for (var i = 0; i < 30; i++)
        {
            using var answer = await service.WorkerAsync(userId: 1 + (i % 3), accept: i % 2 == 0 ? "text/html" : "application/json");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Equal(calls, (service.Bitrix.OAuth.Calls.Count, service.Portal.Calls.Count));
        using var unknown = await service.WorkerAsync(accept: "application/json", change: f => f.Body["member_id"] = new string('0', 32));
        Assert.Equal("storeUnavailable", await Service.CodeAsync(unknown));
    }

    [Fact]
    public async Task Says_that_the_application_token_was_verified_and_names_no_user()
    {
        await using var service = await Service.StartInstalledAsync();
        using var answer = await service.WorkerAsync(userId: 2, accept: "application/json");
        var context = await Service.JsonAsync(answer);
        Assert.Equal("applicationToken", (string?)context["verification"]);
        Assert.Null(context["userId"]);
        Assert.True(context.ContainsKey("userId"));
    }

    [Fact]
    public async Task Refuses_another_application_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var real = service.Portal.App.ApplicationToken;
        foreach (var token in new[] { "x", real[..^1], real + "0", real.ToUpperInvariant() + "!", " " + real, real + "\0", new string('a', 60_000), "Ж" })
        {
            using var answer = await service.WorkerAsync(accept: "application/json", change: f => f.Body["APPLICATION_TOKEN"] = token);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Equal("notVerified", await Service.CodeAsync(answer));
        }

        using var genuine = await service.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, genuine.StatusCode);
    }

    [Fact]
    public async Task Refuses_another_portals_application_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await service.Bitrix.AddPortalAsync(TestContext.Current.CancellationToken);
        await service.InstallAsync(other);
        using var answer = await service.WorkerAsync(accept: "application/json", change: f => f.Body["APPLICATION_TOKEN"] = other.App.ApplicationToken);
        Assert.Equal("notVerified", await Service.CodeAsync(answer));
    }

    [Fact]
    public async Task Serves_a_portal_too_old_for_a_token_the_same_page()
    {
        await using var service = await Service.StartInstalledAsync();
        using var newer = await service.WorkerAsync();
        service.Portal.Quirks.OldPortal = true;
        using var older = await service.WorkerAsync();

        Assert.Equal(HttpStatusCode.OK, older.StatusCode);
        var token = TestContext.Current.CancellationToken;
        Assert.Equal(await newer.Content.ReadAsStringAsync(token), await older.Content.ReadAsStringAsync(token));
    }

    [Fact]
    public async Task Refuses_an_uninstalled_portal()
    {
        await using var service = await Service.StartInstalledAsync();
        await service.Portal.UninstallAsync(clean: false, TestContext.Current.CancellationToken);
        await service.EventuallyAsync(async () => (await service.WorkerAsync()).StatusCode == HttpStatusCode.Forbidden, "the worker is refused");
        using var answer = await service.WorkerAsync(accept: "application/json");
        Assert.Equal("portalNotInstalled", await Service.CodeAsync(answer));
        using var link = await service.LinkAsync(accept: "application/json");
        Assert.Equal("portalNotInstalled", await Service.CodeAsync(link));
    }

    [Fact]
    public async Task Never_echoes_a_DOMAIN_that_is_not_the_portals()
    {
        await using var service = await Service.StartInstalledAsync();
        foreach (var accept in new[] { "text/html", "application/json" })
        {
            foreach (var answer in new[]
            {
                await service.WorkerAsync(accept: accept, change: Elsewhere),
                await service.LinkAsync(accept: accept, change: Elsewhere),
                await service.AppPageAsync(accept: accept, change: Elsewhere),
            })
            {
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                Assert.DoesNotContain("elsewhere", answer + await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.OrdinalIgnoreCase);
                answer.Dispose();
            }
        }

        static void Elsewhere(PortalSimulator.LaunchForm form) => form.Query["DOMAIN"] = "elsewhere.example.com";
    }

    [Fact]
    public async Task Has_the_address_checked_once_when_a_worker_names_another_DOMAIN()
    {
        await using var service = await Service.StartInstalledAsync();
        var before = service.Bitrix.OAuth.Calls.Count;
        service.Portal.Rename("localhost");
        for (var i = 0; i < 20; i++)
        {
            using var answer = await service.WorkerAsync();
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await service.EventuallyAsync(
            async () => (string?)(await Service.JsonAsync(await service.WorkerAsync(accept: "application/json")))["portal"]!["domain"] == service.Portal.Domain, "the new address is known");
        Assert.Equal(before + 1, service.Bitrix.OAuth.Calls.Count);
    }

    /// <summary>Whoever reads the portals now fails.</summary>
    private static async Task HideTheTableAsync(Service service)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(service.Folder.FullName, "placements.db")};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = "ALTER TABLE portals RENAME TO hidden";
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
