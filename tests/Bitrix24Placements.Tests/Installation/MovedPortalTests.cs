using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>A portal gets another name: the OAuth server says which, nobody else.</summary>
public sealed class MovedPortalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_from_another_address_has_the_OAuth_server_asked_once_and_its_answer_kept()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.OAuth.Calls.Clear();
        service.Portal.Rename("localhost");

        for (var i = 0; i < 10; i++)
        {
            using var worker = await service.WorkerAsync();
            Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        }

        await service.EventuallyAsync(async () => (await service.StoredAsync())!.ClientEndpoint.AbsoluteUri == service.Portal.ClientEndpoint, "the new address is kept");
        using var after = await service.WorkerAsync();
        Assert.Contains($"frame-ancestors {service.Portal.Url}", Assert.Single(after.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal(["app.info"], service.Bitrix.OAuth.Calls.Select(c => c.Kind));
        Assert.DoesNotContain("app.info", service.Portal.Methods());
    }

    [Fact]
    public async Task An_address_that_a_worker_only_claims_is_neither_kept_nor_shown()
    {
        await using var service = await Service.StartInstalledAsync();
        var claimed = await service.Bitrix.AddPortalAsync(Token);
        service.Bitrix.OAuth.Calls.Clear();

        using var worker = await service.WorkerAsync(change: f => f.Query["DOMAIN"] = claimed.Domain);

        await service.Bitrix.OAuth.Calls.WaitAsync(c => c.Outcome == "ok", 1, Token);
        await service.EventuallyAsync(async () => !await service.HasWorkAsync(WorkKind.Address), "the check is over");
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        Assert.DoesNotContain(claimed.Domain, await worker.TextAsync() + worker.Headers, StringComparison.Ordinal);
        Assert.Equal(service.Portal.ClientEndpoint, (await service.StoredAsync())!.ClientEndpoint.AbsoluteUri);
        Assert.Empty(claimed.Calls);
    }

    [Fact]
    public async Task A_confirmed_launch_brings_the_new_address_at_once()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.Rename("localhost");

        using var answer = await service.LinkAsync(userId: 2, accept: "application/json");

        Assert.Equal(service.Portal.Domain, (string)(await Service.JsonAsync(answer))["portal"]!["domain"]!);
        Assert.Equal(service.Portal.ClientEndpoint, (await service.StoredAsync())!.ClientEndpoint.AbsoluteUri);
    }

    [Fact]
    public async Task What_a_remembered_token_calls_goes_to_the_new_address()
    {
        await using var service = await Service.StartInstalledAsync();
        var (confirmed, store, token) = (service.Get<ConfirmedTokens>(), service.Get<PortalStore>(), new Secret("a token"));
        var known = (await store.KnownAsync(service.Portal.Id, Token))!;
        confirmed.Remember(token, new(known.Id, known.ClientEndpoint, known.OAuthServer, 1, DateTimeOffset.UtcNow.AddHours(1)), known);

        await store.MoveAsync(known.Id, new("https://portal.example.com/rest/"), Token);

        Assert.Equal("portal.example.com", confirmed.Find(token, known.Id.MemberId)?.User.ClientEndpoint.Host);
    }

    [Fact]
    public async Task A_call_to_the_old_address_is_repeated_at_the_new_one_and_that_is_kept()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.Rename("localhost");

        Assert.Equal(HttpStatusCode.Accepted, await service.SignalAsync());

        Assert.Equal(service.Portal.ClientEndpoint, (await service.StoredAsync())!.ClientEndpoint.AbsoluteUri);
    }

    [Fact]
    public async Task A_redirect_to_anybody_else_is_not_followed()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await service.Bitrix.AddPortalAsync(Token);
        service.Bitrix.Faults.Set("rest:pull.application.event.add", Fault.Redirect(other.ClientEndpoint + "pull.application.event.add"));

        using var answer = await service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = service.Portal.MemberId, ["command"] = "test" });

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Empty(other.Calls);
        Assert.Equal(service.Portal.ClientEndpoint, (await service.StoredAsync())!.ClientEndpoint.AbsoluteUri);
    }

    [Fact]
    public async Task A_move_to_a_name_that_is_not_allowed_is_not_kept()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Bitrix24:AllowedPortals:0"] = "127.0.0.1" });
        service.Bitrix.OAuth.Calls.Clear();
        service.Portal.Rename("localhost");

        (await service.WorkerAsync()).Dispose();

        await service.Bitrix.OAuth.Calls.WaitAsync(c => c.Outcome == "ok", 1, Token);
        await service.EventuallyAsync(async () => !await service.HasWorkAsync(WorkKind.Address), "the check is over");
        Assert.Equal("127.0.0.1", (await service.StoredAsync())!.ClientEndpoint.Host);
        using var link = await service.LinkAsync(accept: "application/json");
        await link.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotAllowed");
    }
}
