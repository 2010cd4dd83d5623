using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>Any employee of a portal can post to the wizard, with whatever he likes in it.</summary>
public sealed class WizardBeliefTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_employee_is_told_to_fetch_an_administrator_and_nothing_is_stored()
    {
        await using var service = await Service.StartAsync();

        using var answer = await service.PostAsync(service.Wizard(userId: 2), "application/json");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        (await Service.JsonAsync(answer)).AssertAllFailed("ACCESS_DENIED");
        Assert.Null(await service.StoredAsync());
        Assert.Empty(service.Portal.Placements);
        Assert.Empty(service.Portal.EventHandlers);
        Assert.Equal(["profile"], service.Portal.Methods());
    }

    [Fact]
    public async Task An_employee_changes_nothing_of_what_an_administrator_has_installed()
    {
        await using var service = await Service.StartInstalledAsync();
        var before = await service.StoredAsync();

        var form = service.Wizard(userId: 2);
        form.Body["APPLICATION_TOKEN"] = "an-application-token-of-his-own";
        using var answer = await service.PostAsync(form, "application/json");

        (await Service.JsonAsync(answer)).AssertAllFailed("ACCESS_DENIED");
        Assert.Equal(before, await service.StoredAsync());
        Assert.True(service.IsRegistered());
    }

    [Fact]
    public async Task What_the_portal_said_of_a_user_who_did_not_wait_for_it_counts_for_nothing_later()
    {
        await using var service = await Service.StartAsync();
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Next("rest:profile", Fault.UntilAfter(goOn.Task));
        var form = service.Wizard();
        using var content = new FormUrlEncodedContent(form.Body);
        using var leaving = new CancellationTokenSource();
        var abandoned = service.Http.PostAsync(form.Action.PathAndQuery, content, leaving.Token);
        await service.EventuallyAsync(() => service.Portal.Methods().Contains("profile"), "the portal is asked");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);
        await Task.Delay(300, Token);
        goOn.SetResult();
        await Task.Delay(300, Token);

        service.Bitrix.Faults.Next("rest:profile", Fault.Answer("""{"result":{"ID":"1","ADMIN":false}}"""));
        using var answer = await service.PostAsync(service.Wizard(), "application/json");

        (await Service.JsonAsync(answer)).AssertAllFailed("ACCESS_DENIED");
        Assert.Null(await service.StoredAsync());
    }

    [Fact]
    public async Task A_forged_token_is_refused_and_the_portal_is_not_asked()
    {
        await using var service = await Service.StartAsync();
        var form = service.Wizard();
        form.Body["AUTH_ID"] = new string('f', 70);

        using var answer = await service.PostAsync(form, "application/json");

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Null(await service.StoredAsync());
        Assert.Empty(service.Portal.Calls);
    }

    [Fact]
    public async Task A_token_of_an_app_that_nobody_has_added_is_kept_and_the_portal_is_not_asked()
    {
        await using var service = await Service.StartAsync();

        using var answer = await service.PostAsync(service.Wizard(app: service.Portal.AddOtherApp()), "application/json");

        (await Service.JsonAsync(answer)).AssertAllFailed("notConfigured");
        Assert.Null(await service.StoredAsync());
        Assert.Empty(service.Portal.Calls);
    }

    [Fact]
    public async Task A_token_of_another_portal_installs_neither()
    {
        await using var service = await Service.StartAsync();
        var other = await service.Bitrix.AddPortalAsync(Token);
        var form = service.Wizard();
        (form.Body["AUTH_ID"], form.Body["REFRESH_ID"]) = other.IssueTokens(1);

        using var answer = await service.PostAsync(form, "application/json");

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Null(await service.StoredAsync());
        Assert.Null(await service.StoredAsync(other));
        Assert.Empty(service.Portal.Calls);
        Assert.Empty(other.Calls);
    }

    [Fact]
    public async Task An_expired_token_is_refused()
    {
        await using var service = await Service.StartAsync();
        var form = service.Wizard();
        service.Portal.ExpireTokens();

        using var answer = await service.PostAsync(form, "application/json");

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Null(await service.StoredAsync());
    }

    [Fact]
    public async Task Only_allowed_portals_are_installed_and_others_are_not_even_called()
    {
        await using var service = await Service.StartAsync(new() { ["Bitrix24:AllowedPortals:0"] = "*.bitrix24.com" });

        using var answer = await service.PostAsync(service.Wizard(), "application/json");

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "portalNotAllowed");
        Assert.Null(await service.StoredAsync());
        Assert.Empty(service.Portal.Calls);
    }

    [Fact]
    public async Task A_listed_portal_is_installed()
    {
        await using var service = await Service.StartAsync(new() { ["Bitrix24:AllowedPortals:0"] = "*.bitrix24.com", ["Bitrix24:AllowedPortals:1"] = "127.0.0.1" });

        Assert.True((bool)(await service.InstallAsync())["finished"]!);
    }

    [Fact]
    public async Task Addresses_that_the_request_claims_are_never_contacted()
    {
        await using var service = await Service.StartAsync();
        var claimed = await service.Bitrix.AddPortalAsync(Token);
        var form = service.Wizard();
        form.Query["DOMAIN"] = claimed.Domain;
        form.Body["SERVER_ENDPOINT"] = claimed.ClientEndpoint;

        using var answer = await service.PostAsync(form, "application/json");

        var outcome = await Service.JsonAsync(answer);
        Assert.True((bool)outcome["finished"]!);
        Assert.Equal(service.Portal.Domain, (string)outcome["portal"]!["domain"]!);
        Assert.Equal(service.Portal.ClientEndpoint, (await service.StoredAsync())!.ClientEndpoint.AbsoluteUri);
        Assert.Equal(service.Bitrix.OAuth.Url + "/", (await service.StoredAsync())!.OAuthServer.AbsoluteUri);
        Assert.Empty(claimed.Calls);
    }

    [Fact]
    public async Task The_page_may_be_framed_by_the_confirmed_portal_alone()
    {
        await using var service = await Service.StartAsync();
        var form = service.Wizard();
        form.Query["DOMAIN"] = "attacker.example";

        using var answer = await service.PostAsync(form);

        Assert.Contains($"frame-ancestors {service.Portal.Url}", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.DoesNotContain("attacker.example", await answer.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_placement_is_no_wizard()
    {
        await using var service = await Service.StartAsync();
        var form = service.Wizard();
        form.Body["PLACEMENT"] = Steps.Link;

        using var answer = await service.PostAsync(form, "application/json");

        await answer.AssertRefusedAsync(HttpStatusCode.BadRequest, "malformedRequest");
    }

    [Fact]
    public async Task A_wizard_without_a_token_is_malformed()
    {
        await using var service = await Service.StartAsync();
        var form = service.Wizard();
        form.Body.Remove("AUTH_ID");

        using var answer = await service.PostAsync(form, "application/json");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull((await Service.JsonAsync(answer))["errors"]!["AUTH_ID"]);
    }

    [Fact]
    public async Task A_silent_OAuth_server_makes_a_page_that_can_be_retried()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next("oauth:app.info", Fault.Drop());

        using var answer = await service.PostAsync(service.Wizard(), "application/json");

        await answer.AssertRefusedAsync(HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable");
        Assert.True((bool)(await service.InstallAsync())["finished"]!);
    }

    [Fact]
    public async Task A_portal_too_old_to_send_an_application_token_is_installed()
    {
        await using var service = await Service.StartAsync();
        service.Portal.Quirks.OldPortal = true;

        Assert.True((bool)(await service.InstallAsync())["finished"]!);
        Assert.Null((await service.StoredAsync())!.ApplicationTokenHash);
    }
}
