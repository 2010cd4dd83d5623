using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Work;
using Microsoft.Data.Sqlite;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>Installations that come before the keys, or while the OAuth server is silent, are kept and finished without anybody's help.</summary>
public sealed class PendingInstallTests
{
    private static readonly Dictionary<string, string?> NoKeys = new() { ["Bitrix24:ClientId"] = null, ["Bitrix24:ClientSecret"] = null };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_before_the_keys_is_kept_and_finished_after_a_restart_with_them()
    {
        await using var first = await Service.StartAsync(NoKeys);
        var delivery = await first.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        Assert.Equal(200, delivery!.Status);
        Assert.Null(await first.StoredAsync());
        Assert.Empty(first.Portal.Calls);
        Assert.Empty(first.Bitrix.OAuth.Calls);
        await first.StopAsync();

        await using var second = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: first.Url.Port);

        await second.EventuallyReconciledAsync();
        await second.EventuallyAsync(async () => await CountPendingAsync(second) == 0, "nothing is pending");
    }

    [Fact]
    public async Task A_wizard_before_the_keys_says_so_is_kept_and_finished_after_a_restart_with_them()
    {
        await using var first = await Service.StartAsync(NoKeys);
        (await first.InstallAsync()).AssertAllFailed("notConfigured");
        using (var answer = await first.PostAsync(first.Wizard(lang: "en")))
        {
            var page = await answer.TextAsync();
            Assert.Contains("Bitrix24:ClientId", page, StringComparison.Ordinal);
            Assert.DoesNotContain("installFinish", page, StringComparison.Ordinal);
        }

        Assert.Empty(first.Portal.Placements);
        await first.StopAsync();

        await using var second = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: first.Url.Port);

        await second.EventuallyReconciledAsync();
    }

    [Fact]
    public async Task A_wizard_before_one_of_the_keys_names_it_and_is_kept()
    {
        await using var first = await Service.StartAsync(new() { ["Bitrix24:ClientSecret"] = null });
        using (var answer = await first.PostAsync(first.Wizard(lang: "en")))
            Assert.Contains("other key is: <code>Bitrix24:ClientSecret</code>", await answer.TextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await CountPendingAsync(first));
        await first.StopAsync();

        await using var second = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: first.Url.Port);

        await second.EventuallyReconciledAsync();
    }

    [Fact]
    public async Task Without_keys_other_pages_and_signals_say_what_is_missing()
    {
        await using var service = await Service.StartAsync(NoKeys);

        using var app = await service.AppPageAsync(accept: "application/json");

        await app.AssertRefusedAsync(HttpStatusCode.ServiceUnavailable, "notConfigured");
    }

    [Fact]
    public async Task Of_one_portal_the_newest_three_are_kept()
    {
        await using var service = await Service.StartAsync(NoKeys);
        for (var i = 0; i < 6; i++)
        {
            using var answer = await service.PostAsync("/install", service.Portal.EventFields("ONAPPINSTALL"));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Equal(3, await CountPendingAsync(service));
    }

    [Fact]
    public async Task A_stranger_does_not_fill_the_places_with_portals_that_he_has_made_up()
    {
        await using var service = await Service.StartAsync(NoKeys);
        var fields = service.Portal.EventFields("ONAPPINSTALL");
        for (var i = 0; i < 80; i++)
        {
            fields["auth[member_id]"] = i.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
            fields["auth[access_token]"] = "made-up-" + i;
            (await service.PostAsync("/install", fields)).Dispose();
        }

        Assert.Equal(KeptInstallations.MaxOfAddress, await CountPendingAsync(service));
        // Nor the log.
        Assert.InRange(service.Logs.Count(static l => l.Contains("too many are waiting", StringComparison.Ordinal)), 1, 5);
    }

    [Fact]
    public async Task The_same_installation_told_twice_is_kept_once()
    {
        await using var service = await Service.StartAsync(NoKeys);
        var fields = service.Portal.EventFields("ONAPPINSTALL");

        (await service.PostAsync("/install", fields)).Dispose();
        (await service.PostAsync("/install", fields)).Dispose();

        Assert.Equal(1, await CountPendingAsync(service));
    }

    [Fact]
    public async Task A_token_of_another_portal_and_an_unknown_app_is_not_kept()
    {
        await using var service = await Service.StartAsync();
        var other = await service.Bitrix.AddPortalAsync(Token);
        var form = service.Wizard();
        (form.Body["AUTH_ID"], form.Body["REFRESH_ID"]) = other.IssueTokens(1, app: other.AddOtherApp());

        using var answer = await service.PostAsync(form, "application/json");

        await answer.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Equal(0, await CountPendingAsync(service));
    }

    [Fact]
    public async Task One_of_an_unknown_app_outlives_its_access_token()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        var app = bitrix.Portals[0].AddOtherApp();
        await using var first = await Service.StartAsync(bitrix: bitrix, services: time.Register);
        (await first.PostAsync(first.Wizard(app: app))).Dispose();
        time.Shift(TimeSpan.FromHours(2));
        await first.EventuallyAsync(() => first.Bitrix.OAuth.Calls.Any(static c => c.Outcome == "expired_token"), "its token was found to have expired");
        await Task.Delay(500, Token);
        Assert.Equal(1, await CountPendingAsync(first));
        await first.StopAsync();

        await using var second = await Service.StartAsync(
            new() { ["Bitrix24:Apps:late:ClientId"] = app.ClientId, ["Bitrix24:Apps:late:ClientSecret"] = app.ClientSecret }, bitrix, first.Folder, services: time.Register);

        await second.EventuallyAsync(() => second.Portal.Placements.Count(p => p.ClientId == app.ClientId) == 2, "the app is installed");
    }

    [Fact]
    public async Task With_one_of_an_app_that_was_told_the_keys_of_other_apps_are_not_tried()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await Service.StartAsync(bitrix: bitrix, services: time.Register);
        var database = service.Get<Database>();
        (await service.PostAsync(service.Wizard(app: bitrix.Portals[0].AddOtherApp()))).Dispose();
        await database.ExecuteAsync("UPDATE work SET due_at = 0", Token);
        await service.EventuallyAsync(() => database.AnyAsync("SELECT 1 FROM work WHERE client_id IS NOT NULL", Token), "it is known whose it is");

        time.Shift(TimeSpan.FromHours(2));
        await service.EventuallyAsync(() => database.AnyAsync("SELECT 1 FROM work WHERE attempt > 1", Token), "it was asked about");

        Assert.Contains(bitrix.OAuth.Calls, static c => c.Outcome == "expired_token");
        Assert.DoesNotContain(bitrix.OAuth.Calls, static c => c.Kind == "token");
        Assert.Equal(1, await CountPendingAsync(service));
    }

    [Fact]
    public async Task Employees_tokens_of_unknown_apps_do_not_take_the_places_of_a_genuine_installation()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await Service.StartAsync(bitrix: bitrix, services: time.Register);
        for (var i = 0; i < 3; i++)
            (await service.PostAsync(service.Wizard(userId: 2, app: service.Portal.AddOtherApp()))).Dispose();
        time.Shift(TimeSpan.FromSeconds(3));
        await service.EventuallyAsync(() => service.Portal.Methods().Contains("profile"), "the portal was asked who they are");
        await Task.Delay(500, Token);

        var genuine = service.Portal.AddOtherApp();
        using var answer = await service.PostAsync("/install", service.Portal.EventFields("ONAPPINSTALL", app: genuine));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        time.Shift(TimeSpan.FromSeconds(3));
        await service.EventuallyAsync(async () => (await service.Get<Bitrix24Placements.Work.KeptInstallations>().ListAsync(Token)).Exists(k => k.ClientId == genuine.ClientId), "it is kept");
    }

    [Fact]
    public async Task An_installation_of_an_app_that_is_not_known_waits_until_that_is_added()
    {
        await using var first = await Service.StartAsync();
        var app = first.Portal.AddOtherApp();
        using (var answer = await first.PostAsync(first.Wizard(app: app)))
            Assert.Contains(app.ClientId, await answer.TextAsync(), StringComparison.Ordinal);
        Assert.Contains(first.Logs, l => l.StartsWith("Warning", StringComparison.Ordinal) && l.Contains(app.ClientId, StringComparison.Ordinal));
        Assert.Null(await first.StoredAsync());
        await first.StopAsync();

        await using var second = await Service.StartAsync(
            new() { ["Bitrix24:Apps:late:ClientId"] = app.ClientId, ["Bitrix24:Apps:late:ClientSecret"] = app.ClientSecret }, first.Bitrix, first.Folder);

        await second.EventuallyAsync(() => second.Portal.Placements.Count(p => p.ClientId == app.ClientId) == 2, "the app is installed", seconds: 5);
        Assert.Null(await second.StoredAsync());
        Assert.NotNull(await second.Get<PortalStore>().FindAsync(new(second.Portal.MemberId, "late"), Token));
    }

    [Fact]
    public async Task An_employees_is_dropped_when_the_keys_are_there()
    {
        await using var first = await Service.StartAsync(NoKeys);
        (await first.PostAsync("/install", first.Portal.EventFields("ONAPPINSTALL", userId: 2))).Dispose();
        await first.StopAsync();

        await using var second = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder);

        await second.EventuallyAsync(async () => await CountPendingAsync(second) == 0, "the pending installation is dropped");
        Assert.Null(await second.StoredAsync());
    }

    [Fact]
    public async Task A_token_that_has_expired_meanwhile_is_refreshed_first()
    {
        await using var first = await Service.StartAsync(NoKeys);
        await first.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        await first.StopAsync();
        first.Portal.ExpireTokens();

        await using var second = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: first.Url.Port);

        await second.EventuallyReconciledAsync();
        Assert.Equal(1, second.Bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task One_that_is_being_refreshed_when_the_service_stops_goes_on_after_the_next_start()
    {
        await using var first = await KeptAndExpiredAsync();
        var goOn = new TaskCompletionSource();
        await using var second = await RefreshingAsync(first, goOn);

        var stopping = second.StopAsync();
        await Task.Delay(500, Token);
        goOn.SetResult();
        await stopping;

        await using var third = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: first.Url.Port);
        await third.EventuallyReconciledAsync();
        Assert.Equal(1, third.Bitrix.OAuth.Refreshes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Its_refreshed_tokens_outlive_a_database_that_is_away(bool stops)
    {
        await using var first = await KeptAndExpiredAsync();
        var goOn = new TaskCompletionSource();
        await using var second = await RefreshingAsync(first, goOn);
        await using var database = new SqliteConnection($"Data Source={second.Get<Database>().FilePath}");
        await database.OpenAsync(Token);
        await ExecuteAsync(database, "ALTER TABLE work RENAME TO away");

        goOn.SetResult();
        await second.EventuallyAsync(() => second.Logs.Any(static l => l.Contains("cannot be stored yet", StringComparison.Ordinal)), "they cannot be stored");
        if (stops)
            await second.StopAsync();
        await ExecuteAsync(database, "ALTER TABLE away RENAME TO work");

        await using var third = stops ? await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: first.Url.Port) : null;
        await (third ?? second).EventuallyReconciledAsync();
        Assert.Equal(1, first.Bitrix.OAuth.Refreshes);
        await (third ?? second).EventuallyAsync(() => (third ?? second).Get<Spool>().List() is [], "nothing is left in the spool");
    }

    [Fact]
    public async Task One_that_another_instance_has_taken_over_and_found_void_comes_back_with_its_refreshed_tokens()
    {
        await using var first = await KeptAndExpiredAsync();
        var goOn = new TaskCompletionSource();
        await using var second = await RefreshingAsync(first, goOn);

        await second.Get<Database>().ExecuteAsync("DELETE FROM work", Token);
        goOn.SetResult();

        await second.EventuallyReconciledAsync();
        Assert.Equal(1, second.Bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task Somebody_with_an_app_of_his_own_is_told_to_slow_down()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:UnverifiedPerMinute"] = "5" });
        var app = service.Portal.AddOtherApp();
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 7; i++)
        {
            using var answer = await service.PostAsync(service.Wizard(app: app), "application/json");
            answers.Add(answer.StatusCode);
        }

        Assert.Equal([.. Enumerable.Repeat(HttpStatusCode.OK, 5), HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], answers);
    }

    [Fact]
    public async Task After_seven_days_it_is_forgotten()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var first = await Service.StartAsync(NoKeys, bitrix, services: time.Register);
        await first.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        await first.StopAsync();
        time.Shift(TimeSpan.FromDays(7) + TimeSpan.FromMinutes(1));

        await using var second = await Service.StartAsync(bitrix: bitrix, folder: first.Folder, services: time.Register);

        await second.EventuallyAsync(async () => await CountPendingAsync(second) == 0, "the pending installation is dropped");
        Assert.Null(await second.StoredAsync());
        Assert.Empty(bitrix.OAuth.Calls);
    }

    [Fact]
    public async Task After_six_days_it_is_finished()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var first = await Service.StartAsync(NoKeys, bitrix, services: time.Register);
        await first.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        await first.StopAsync();
        time.Shift(TimeSpan.FromDays(6));

        await using var second = await Service.StartAsync(bitrix: bitrix, folder: first.Folder, port: first.Url.Port, services: time.Register);

        await second.EventuallyReconciledAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(400)]
    public async Task An_event_while_the_OAuth_server_is_silent_or_in_trouble_is_kept_and_finished_when_it_answers(int status)
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set("oauth:app.info", status == 0 ? Fault.Drop() : Fault.Error(status == 400 ? "server_error" : "something_new", status));

        var delivery = await service.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);

        Assert.Equal(200, delivery!.Status);
        Assert.Null(await service.StoredAsync());
        Assert.Equal(1, await CountPendingAsync(service));
        service.Bitrix.Faults.Clear();
        await service.EventuallyReconciledAsync();
        await service.EventuallyAsync(async () => await CountPendingAsync(service) == 0, "nothing is pending");
    }

    [Fact]
    public async Task A_refusal_that_may_pass_does_not_drop_it()
    {
        await using var first = await Service.StartAsync(NoKeys);
        await first.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        await first.StopAsync();
        first.Bitrix.Faults.Set("oauth:app.info", Fault.Error("PAYMENT_REQUIRED", 402));

        await using var second = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: first.Url.Port);
        var database = second.Get<Database>();
        await second.EventuallyAsync(() => database.AnyAsync("SELECT 1 FROM work WHERE vouched IS NOT NULL AND attempt > 0", Token), "it was asked about");
        second.Bitrix.Faults.Clear();
        await database.ExecuteAsync("UPDATE work SET due_at = 0", Token);

        await second.EventuallyReconciledAsync();
    }

    [Fact]
    public async Task Nor_is_what_the_portals_system_user_brings_meanwhile_lost()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        await service.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);

        Assert.Equal([200], (await service.Portal.SendEventAsync("ONAPPUSERREADY", cancellationToken: Token)).Select(static d => d.Status));

        service.Bitrix.Faults.Clear();
        await service.EventuallyAsync(async () => (await service.StoredAsync())?.Reserve is { IsAdministrator: false }, "they are the reserve", 30);
    }

    [Fact]
    public async Task Who_does_not_know_the_application_token_of_what_is_kept_has_nothing_spooled()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        await service.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        Assert.Equal(1, await CountPendingAsync(service));
        var made = service.Portal.EventFields("ONAPPUSERREADY");
        made["auth[application_token]"] = "made-up";

        using var refused = await service.PostAsync("/events", made);
        var accepted = 0;
        for (var i = 0; i < 20; i++)
        {
            using var answer = await service.PostAsync("/events", service.Portal.EventFields("ONAPPUSERREADY"));
            accepted += answer.StatusCode == HttpStatusCode.OK ? 1 : 0;
        }

        await refused.AssertRefusedAsync(HttpStatusCode.Forbidden, "notVerified");
        Assert.Equal(3, accepted);
        Assert.Equal(3, service.Get<Spool>().List().Count);
    }

    [Fact]
    public async Task An_update_while_the_OAuth_server_is_silent_is_kept_too()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Error("INTERNAL_SERVER_ERROR", 500));

        await service.Portal.UpdateAsync(cancellationToken: Token);

        Assert.Empty(service.Portal.Placements);
        service.Bitrix.Faults.Clear();
        await service.EventuallyReconciledAsync();
        await service.EventuallyAsync(async () => (await service.WorkerAsync(accept: "application/json")).StatusCode == HttpStatusCode.OK, "the new application token is known");
    }

    [Fact]
    public async Task An_update_that_brings_another_application_token_with_the_same_tokens_is_kept_beside_the_installation()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        var install = service.Portal.EventFields("ONAPPINSTALL");
        (await service.PostAsync("/events", install)).Dispose();
        await Task.Delay(10, Token);
        var update = new Dictionary<string, string>(install) { ["event"] = "ONAPPUPDATE", ["auth[application_token]"] = "another-application-token" };
        (await service.PostAsync("/events", update)).Dispose();
        Assert.Equal(2, await CountPendingAsync(service));

        service.Bitrix.Faults.Clear();

        await service.EventuallyAsync(
            async () => (await service.StoredAsync())?.ApplicationTokenHash == ApplicationToken.Hash("another-application-token"), "the later one counts", seconds: 40);
    }

    /// <summary>Who is no administrator has a token of this app, too, and nobody says what he is while the portal is silent.</summary>
    [Fact]
    public async Task No_employee_takes_its_place_while_the_portal_is_silent()
    {
        await using var service = await Service.StartAsync(new() { ["ForwardedHeaders:KnownProxies:0"] = "127.0.0.1" });
        service.Bitrix.Faults.Set("rest:profile", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        var genuine = service.Portal.EventFields("ONAPPINSTALL");
        Assert.Equal(HttpStatusCode.OK, await FromAsync(service, "192.0.2.1", genuine));
        for (var i = 0; i < 9; i++)
        {
            if (i % 3 == 0)
                await Task.Delay(TimeSpan.FromSeconds(3), Token);
            var employees = new Dictionary<string, string>(service.Portal.EventFields("ONAPPINSTALL", userId: 2)) { ["auth[application_token]"] = $"made-up-{i}" };
            Assert.Equal(HttpStatusCode.OK, await FromAsync(service, $"192.0.2.{66 + (i % 3)}", employees));
        }

        service.Bitrix.Faults.Clear();
        await service.Get<Database>().ExecuteAsync("UPDATE work SET due_at = 0", Token);

        await service.EventuallyAsync(
            async () => (await service.StoredAsync())?.ApplicationTokenHash == ApplicationToken.Hash(genuine["auth[application_token]"]), "it is installed", seconds: 30);
    }

    private static async Task<HttpStatusCode> FromAsync(Service service, string address, Dictionary<string, string> fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/events") { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Add("X-Forwarded-For", address);
        using var answer = await service.Http.SendAsync(request, Token);
        return answer.StatusCode;
    }

    /// <summary>An instance that has told of an installation and ended; its access token has expired.</summary>
    private static async Task<Service> KeptAndExpiredAsync()
    {
        var service = await Service.StartAsync(NoKeys);
        service.Bitrix.Options.RefreshRevokesAccessToken = true;
        await service.Portal.InstallAsync(apiOnly: true, cancellationToken: Token);
        await service.StopAsync();
        service.Portal.ExpireTokens();
        return service;
    }

    /// <summary>The next one: its refresh has been done, and the answer is on its way.</summary>
    private static async Task<Service> RefreshingAsync(Service first, TaskCompletionSource goOn)
    {
        first.Bitrix.Faults.Next("oauth:token", Fault.UntilAfter(goOn.Task));
        var service = await Service.StartAsync(bitrix: first.Bitrix, folder: first.Folder, port: first.Url.Port);
        await service.EventuallyAsync(() => service.Bitrix.OAuth.Refreshes == 1, "the token is refreshed");
        return service;
    }

    private static async Task ExecuteAsync(SqliteConnection database, string sql)
    {
        await using var command = new SqliteCommand(sql, database);
        await command.ExecuteNonQueryAsync(Token);
    }

    private static async Task<long> CountPendingAsync(Service service) =>
        (await service.Get<Database>().QueryAsync("SELECT COUNT(*) FROM work WHERE kind LIKE 'install:%'", static r => r.GetInt64(0), Token)).Single();
}
