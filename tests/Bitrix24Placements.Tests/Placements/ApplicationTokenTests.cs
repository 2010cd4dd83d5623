using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>Only a confirmed administrator's page brings a new APPLICATION_TOKEN.</summary>
public sealed class ApplicationTokenTests
{
    [Theory]
    [InlineData("REST_APP_URI")]
    [InlineData("DEFAULT")]
    public async Task A_new_one_is_refused_from_an_employee_and_adopted_from_an_administrator(string placement)
    {
        await using var service = await Service.StartInstalledAsync();
        const string New = "0123456789abcdef0123456789abcdef";

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(service, placement, 2, New));
        Assert.Equal(HttpStatusCode.Forbidden, await WorkerStatusAsync(service, New));
        Assert.Equal(HttpStatusCode.OK, await WorkerStatusAsync(service, service.Portal.App.ApplicationToken));

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, placement, 1, New));
        Assert.Equal(HttpStatusCode.OK, await WorkerStatusAsync(service, New));
        Assert.Equal(HttpStatusCode.Forbidden, await WorkerStatusAsync(service, service.Portal.App.ApplicationToken));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, placement, 2, New));
    }

    [Fact]
    public async Task The_first_one_of_a_portal_that_was_too_old_is_an_administrators()
    {
        await using var service = await Service.StartAsync();
        service.Portal.Quirks.OldPortal = true;
        await service.InstallAsync();
        using (var link = await service.LinkAsync(userId: 2))
            Assert.Equal(HttpStatusCode.OK, link.StatusCode);

        service.Portal.Quirks.OldPortal = false;
        using (var employee = await service.LinkAsync(userId: 2))
            Assert.Equal(HttpStatusCode.Forbidden, employee.StatusCode);
        using (var administrator = await service.LinkAsync(userId: 1))
            Assert.Equal(HttpStatusCode.OK, administrator.StatusCode);
        using (var employee = await service.LinkAsync(userId: 2))
            Assert.Equal(HttpStatusCode.OK, employee.StatusCode);
        using var worker = await service.WorkerAsync(userId: 2);
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
    }

    [Fact]
    public async Task An_employee_who_calls_himself_administrator_changes_nothing()
    {
        await using var service = await Service.StartInstalledAsync();
        using var answer = await service.LinkAsync(userId: 2, change: f =>
        {
            f.Body["APPLICATION_TOKEN"] = "mine";
            f.Body["ADMIN"] = "1";
            f.Body["user_id"] = "1";
            f.Query["USER_ID"] = "1";
        });
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, await WorkerStatusAsync(service, "mine"));
    }

    [Fact]
    public async Task Nothing_is_adopted_while_the_portal_cannot_say_who_is_administrator()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("rest:profile", Fault.Error("OVERLOAD_LIMIT", 503));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(service, "REST_APP_URI", 1, "new"));
        Assert.Equal(HttpStatusCode.Forbidden, await WorkerStatusAsync(service, "new"));
    }

    private static async Task<HttpStatusCode> StatusAsync(Service service, string placement, int userId, string token)
    {
        using var answer = placement == "DEFAULT"
            ? await service.AppPageAsync(userId: userId, change: f => f.Body["APPLICATION_TOKEN"] = token)
            : await service.LinkAsync(userId: userId, change: f => f.Body["APPLICATION_TOKEN"] = token);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> WorkerStatusAsync(Service service, string token)
    {
        using var answer = await service.WorkerAsync(change: f => f.Body["APPLICATION_TOKEN"] = token);
        return answer.StatusCode;
    }
}
