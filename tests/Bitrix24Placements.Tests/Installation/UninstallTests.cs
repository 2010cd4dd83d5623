using System.Net;
using System.Net.Http.Headers;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>A genuine uninstallation ends what the installation began.</summary>
public sealed class UninstallTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_clean_one_takes_all_but_the_settings()
    {
        await using var service = await Service.StartInstalledAsync();
        using (var load = await service.WorkerAsync())
            Assert.Equal(HttpStatusCode.OK, load.StatusCode);

        var deliveries = await service.Portal.UninstallAsync(clean: true, Token);

        Assert.Equal(200, Assert.Single(deliveries).Status);
        await service.EventuallyAsync(service.IsCleanAsync, "the portal is gone but for its settings");
        using var worker = await service.WorkerAsync(accept: "application/json");
        await worker.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotInstalled");
        using var app = await service.AppPageAsync(accept: "application/json");
        await app.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotInstalled");
        Assert.Equal(HttpStatusCode.NotFound, await service.SignalAsync());
    }

    [Fact]
    public async Task A_careful_one_keeps_the_portal_without_its_tokens_and_a_reinstallation_finds_its_removal_key()
    {
        await using var service = await Service.StartInstalledAsync();
        var url = service.Portal.RemovalUrl();

        await service.Portal.UninstallAsync(clean: false, Token);

        await service.EventuallyAsync(async () => (await service.StoredAsync())!.State == PortalState.Uninstalled, "the portal is uninstalled");
        var kept = (await service.StoredAsync())!;
        Assert.Null(kept.Tokens);
        Assert.Null(kept.ApplicationTokenHash);
        Assert.Equal(HttpStatusCode.NotFound, await service.SignalAsync());

        await service.Portal.InstallAsync(cancellationToken: Token);
        await service.InstallAndFinishAsync();
        Assert.True(service.IsRegistered());
        Assert.Equal(url, service.Portal.RemovalUrl());
        Assert.Equal(HttpStatusCode.Accepted, await service.SignalAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sessions_end_with_the_installation_and_do_not_live_again_with_the_next(bool clean)
    {
        await using var service = await Service.StartInstalledAsync();
        var session = await SessionAsync(service);
        Assert.Equal(HttpStatusCode.OK, await ContextAsync(service, session));

        await service.Portal.UninstallAsync(clean, Token);
        await service.EventuallyAsync(async () => await service.StoredAsync() is not { State: PortalState.Installed }, "uninstalled");

        Assert.Equal(HttpStatusCode.Unauthorized, await ContextAsync(service, session));
        await service.Portal.InstallAsync(cancellationToken: Token);
        await service.InstallAndFinishAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await ContextAsync(service, session));
    }

    [Fact]
    public async Task A_confirmed_token_is_forgotten_with_the_portal()
    {
        await using var service = await Service.StartInstalledAsync();
        LaunchForm? form = null;
        (await service.LinkAsync(change: f => form = f)).Dispose();

        await service.Portal.UninstallAsync(clean: false, Token);
        await service.EventuallyAsync(async () => (await service.StoredAsync())!.State == PortalState.Uninstalled, "uninstalled");

        // The process's memory follows the database by an instant.
        await service.EventuallyAsync(async () =>
        {
            using var again = await service.PostAsync(form!, "application/json");
            return again.StatusCode == HttpStatusCode.Forbidden;
        }, "the page is refused", seconds: 2);
    }

    [Fact]
    public async Task The_wrong_application_token_is_refused_and_nobody_is_asked()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.OAuth.Calls.Clear();
        var fields = service.Portal.EventFields("ONAPPUNINSTALL");
        fields["auth[application_token]"] = "another";

        using var answer = await service.PostAsync("/events", fields);

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Empty(service.Bitrix.OAuth.Calls);
        Assert.False(await service.HasWorkAsync(WorkKind.Uninstall));
    }

    [Fact]
    public async Task An_expired_token_is_refreshed_first_and_its_refusal_believed()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.ExpireTokens();

        await service.Portal.UninstallAsync(clean: true, Token);

        await service.EventuallyAsync(service.IsCleanAsync, "the portal is gone but for its settings");
        Assert.Contains(service.Bitrix.OAuth.Calls, c => c is { Kind: "token", Outcome: "invalid_grant" });
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task One_that_is_told_while_an_update_is_being_confirmed_is_asked_about_after_it(bool afterAnEmployees, bool isUpdateKept)
    {
        await using var service = await Service.StartInstalledAsync();
        if (afterAnEmployees)
        {
            (await service.PostAsync("/events", service.Portal.EventFields("ONAPPUNINSTALL", userId: 2))).Dispose();
            await Task.Delay(1100, Token);
        }

        var (goOn, asked) = (new TaskCompletionSource(), service.Portal.Count("profile"));
        service.Bitrix.Faults.Set("rest:profile", Fault.Until(goOn.Task));
        var updating = service.PostAsync("/events", service.Portal.EventFields("ONAPPUPDATE"));
        await service.Portal.Calls.WaitAsync(static c => c.Method == "profile", asked + 1, Token);
        (await service.PostAsync("/events", service.Portal.EventFields("ONAPPUNINSTALL"))).Dispose();

        if (isUpdateKept)
            service.Bitrix.Faults.Set("rest:profile", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        goOn.SetResult();
        (await updating).Dispose();
        service.Portal.UninstallSilently();

        // What reconciles it may be refreshing whenever it is asked about.
        await service.EventuallyAsync(async () => (await service.StoredAsync())!.State == PortalState.Uninstalled, "it is uninstalled", seconds: 90);
    }

    [Fact]
    public async Task Of_one_portal_alone()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await service.Bitrix.AddPortalAsync(Token);
        await service.InstallAsync(other);

        await service.Portal.UninstallAsync(clean: true, Token);

        await service.EventuallyAsync(service.IsCleanAsync, "the portal is gone but for its settings");
        Assert.Equal(PortalState.Installed, (await service.StoredAsync(other))!.State);
        using var worker = await service.WorkerAsync(other);
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
    }

    private static async Task<string> SessionAsync(Service service)
    {
        using var answer = await service.AppPageAsync();
        var page = await answer.TextAsync();
        const string Before = "data-session=\"";
        var at = page.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        return page[at..page.IndexOf('"', at)];
    }

    private static async Task<HttpStatusCode> ContextAsync(Service service, string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/context");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", session);
        using var answer = await service.Http.SendAsync(request, Token);
        return answer.StatusCode;
    }
}
