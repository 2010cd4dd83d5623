using System.Collections.Concurrent;
using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Events;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>ONAPPINSTALL and ONAPPUPDATE: from Bitrix24's server, or from somebody who pretends to be it.</summary>
public sealed class InstallEventTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData("ONAPPINSTALL"), InlineData("ONAPPUPDATE")]
    public async Task Counts_though_its_sender_goes_away_while_the_portal_is_asked(string name)
    {
        await using var service = await Service.StartAsync();
        await service.Portal.InstallAsync(cancellationToken: Token);
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Set("rest:profile", Fault.Until(goOn.Task));
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var content = new FormUrlEncodedContent(service.Portal.EventFields(name));
        var sent = service.Http.PostAsync("/events", content, gone.Token);
        await service.Portal.Calls.WaitAsync(static c => c.Method == "profile", 1, Token);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
        await Task.Delay(TimeSpan.FromSeconds(1), Token);
        goOn.SetResult();

        await service.EventuallyRegisteredAsync();
    }

    /// <summary>Bitrix24 sends each once, and waits for the answer to none.</summary>
    [Theory]
    [InlineData("event", null)]
    [InlineData("wizard", null)]
    [InlineData("event", "another-application-token")]
    public async Task What_brings_its_application_token_while_it_is_being_confirmed_waits_for_it(string by, string? otherToken)
    {
        await using var service = await Service.StartAsync();
        var told = new ConcurrentQueue<EventRequest>();
        new Endpoints(service.Get<IServiceProvider>()).MapEvent("ONCRMDEALADD", (EventRequest e) => told.Enqueue(e));
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Set("rest:profile", Fault.Until(goOn.Task));
        var installing = by == "wizard" ? service.PostAsync(service.Wizard()) : service.PostAsync("/events", service.Portal.EventFields("ONAPPINSTALL"));
        await service.Portal.Calls.WaitAsync(static c => c.Method == "profile", 1, Token);
        var (userReady, dealAdded) = (service.Portal.EventFields("ONAPPUSERREADY"), service.Portal.EventFields("ONCRMDEALADD"));
        if (otherToken is not null)
            userReady["auth[application_token]"] = dealAdded["auth[application_token]"] = otherToken;

        List<Task<HttpResponseMessage>> early = [service.PostAsync("/events", userReady), service.PostAsync("/events", dealAdded)];
        await Task.Delay(500, Token);
        Assert.All(early, e => Assert.Equal(otherToken is not null, e.IsCompleted));
        goOn.SetResult();

        Assert.All(await Task.WhenAll(early), a => Assert.Equal(otherToken is null ? HttpStatusCode.OK : HttpStatusCode.Forbidden, a.StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await installing).StatusCode);
        if (otherToken is not null)
            return;
        Assert.False((await service.StoredAsync())!.Reserve!.IsAdministrator);
        await service.EventuallyAsync(() => !told.IsEmpty, "the event is handled");
    }

    [Fact]
    public async Task An_app_without_an_interface_is_installed_by_its_event()
    {
        await using var service = await Service.StartAsync();

        var delivery = await service.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);

        Assert.Equal(200, delivery!.Status);
        await service.EventuallyReconciledAsync();
        Assert.Equal(2, service.Portal.EventHandlers.Count);
    }

    [Theory]
    [InlineData("/install", "OnAppInstall")]
    [InlineData("/events", "onappinstall")]
    public async Task The_events_name_comes_in_any_case_and_at_either_address(string path, string name)
    {
        await using var service = await Service.StartAsync();
        var fields = service.Portal.EventFields("ONAPPINSTALL");
        fields["event"] = name;

        using var answer = await service.PostAsync(path, fields);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await service.EventuallyRegisteredAsync();
    }

    [Fact]
    public async Task Other_events_do_not_belong_to_the_install_address()
    {
        await using var service = await Service.StartInstalledAsync();

        using var answer = await service.PostAsync("/install", service.Portal.EventFields("ONAPPUNINSTALL"));

        await answer.AssertRefusedAsync(HttpStatusCode.BadRequest, "malformedRequest");
    }

    [Theory]
    [InlineData("ONAPPINSTALL")]
    [InlineData("ONAPPUPDATE")]
    public async Task An_employees_event_is_refused_and_nothing_is_stored(string name)
    {
        await using var service = await Service.StartAsync();

        using var answer = await service.PostAsync("/events", service.Portal.EventFields(name, userId: 2));

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Null(await service.StoredAsync());
        Assert.Empty(service.Portal.Placements);
    }

    [Fact]
    public async Task An_employees_update_changes_nothing()
    {
        await using var service = await Service.StartInstalledAsync();
        var before = await service.StoredAsync();
        var fields = service.Portal.EventFields("ONAPPUPDATE", userId: 2);
        fields["auth[application_token]"] = "an-application-token-of-his-own";

        using var answer = await service.PostAsync("/events", fields);

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Equal(before, await service.StoredAsync());
    }

    [Fact]
    public async Task Forged_tokens_and_those_of_other_portals_are_refused()
    {
        await using var service = await Service.StartAsync();
        var other = await service.Bitrix.AddPortalAsync(Token);
        foreach (var token in new[] { new string('f', 70), other.IssueTokens(1).Access })
        {
            var fields = service.Portal.EventFields("ONAPPINSTALL");
            fields["auth[access_token]"] = token;

            using var answer = await service.PostAsync("/install", fields);

            await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        }

        Assert.Null(await service.StoredAsync());
        Assert.Null(await service.StoredAsync(other));
        Assert.Empty(service.Portal.Calls);
        Assert.Empty(other.Calls);
    }

    [Fact]
    public async Task A_portal_that_is_not_allowed_is_refused()
    {
        await using var service = await Service.StartAsync(new() { ["Bitrix24:AllowedPortals:0"] = "portal.example.com" });

        using var answer = await service.PostAsync("/install", service.Portal.EventFields("ONAPPINSTALL"));

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotAllowed");
        Assert.Empty(service.Portal.Calls);
    }

    [Fact]
    public async Task A_portal_that_is_not_allowed_any_more_brings_no_reserve()
    {
        await using var before = await Service.StartInstalledAsync();
        await using var service = await Service.StartAsync(new() { ["Bitrix24:AllowedPortals:0"] = "portal.example.com" }, before.Bitrix, before.Folder);
        service.Portal.Calls.Clear();

        using var answer = await service.PostAsync("/events", service.Portal.EventFields("ONAPPUSERREADY"));

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotAllowed");
        Assert.Equal(0, service.Portal.Count("profile"));
        Assert.Null((await service.StoredAsync())!.Reserve);
    }

    [Fact]
    public async Task Addresses_that_the_event_claims_are_never_contacted()
    {
        await using var service = await Service.StartAsync();
        var claimed = await service.Bitrix.AddPortalAsync(Token);
        var fields = service.Portal.EventFields("ONAPPINSTALL");
        fields["auth[domain]"] = claimed.Domain;
        fields["auth[client_endpoint]"] = claimed.ClientEndpoint;
        fields["auth[server_endpoint]"] = claimed.ClientEndpoint;

        using var answer = await service.PostAsync("/install", fields);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await service.EventuallyReconciledAsync();
        Assert.Equal(service.Portal.ClientEndpoint, (await service.StoredAsync())!.ClientEndpoint.AbsoluteUri);
        Assert.Empty(claimed.Calls);
    }

    [Theory]
    [InlineData("auth[member_id]")]
    [InlineData("auth[access_token]")]
    [InlineData("auth[refresh_token]")]
    public async Task A_missing_field_is_named(string field)
    {
        await using var service = await Service.StartAsync();
        var fields = service.Portal.EventFields("ONAPPINSTALL");
        fields.Remove(field);

        using var answer = await service.PostAsync("/install", fields);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull((await Service.JsonAsync(answer))["errors"]![field]);
    }

    [Fact]
    public async Task An_update_brings_a_new_application_token_and_sets_everything_again_within_five_seconds()
    {
        await using var service = await Service.StartInstalledAsync();
        var old = service.Portal.App.ApplicationToken;

        var deliveries = await service.Portal.UpdateAsync(cancellationToken: Token);

        Assert.Equal(200, Assert.Single(deliveries).Status);
        await service.EventuallyRegisteredAsync(seconds: 5);
        await service.EventuallyAsync(() => service.Portal.EventHandlers.Count == 2, "the events are bound again");
        using var current = await service.WorkerAsync(accept: "application/json");
        Assert.Equal(HttpStatusCode.OK, current.StatusCode);
        using var outdated = await service.WorkerAsync(accept: "application/json", change: f => f.Body["APPLICATION_TOKEN"] = old);
        await outdated.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
    }

    [Fact]
    public async Task An_update_keeps_the_pages_sessions()
    {
        await using var service = await Service.StartInstalledAsync();
        var epoch = (await service.StoredAsync())!.Epoch;

        await service.Portal.UpdateAsync(cancellationToken: Token);

        Assert.Equal(epoch, (await service.StoredAsync())!.Epoch);
    }

    [Fact]
    public async Task Any_other_event_needs_the_portals_application_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var fields = service.Portal.EventFields("ONCRMDEALADD");

        using (var known = await service.PostAsync("/events", fields))
            Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        fields["auth[application_token]"] = "another";
        using (var wrong = await service.PostAsync("/events", fields))
            await wrong.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        fields.Remove("auth[application_token]");
        using (var none = await service.PostAsync("/events", fields))
            await none.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
    }

    [Fact]
    public async Task Events_of_a_portal_that_never_installed_are_refused()
    {
        await using var service = await Service.StartAsync();

        using var answer = await service.PostAsync("/events", service.Portal.EventFields("ONAPPUNINSTALL"));

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotInstalled");
    }

    [Fact]
    public async Task An_event_is_sent_once_so_what_a_busy_portal_cannot_confirm_is_kept()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set("rest:profile", Fault.Error("OVERLOAD_LIMIT", 503));

        using var answer = await service.PostAsync("/install", service.Portal.EventFields("ONAPPINSTALL"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        service.Bitrix.Faults.Clear();
        await service.EventuallyAsync(async () => await service.StoredAsync() is { State: PortalState.Installed }, "the portal is installed");
    }
}
