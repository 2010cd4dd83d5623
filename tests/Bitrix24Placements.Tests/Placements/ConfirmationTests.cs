using System.Diagnostics;
using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>How often an OAuth server is asked, and by whom at the same time.</summary>
public sealed class ConfirmationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_new_token_twenty_times_at_once_is_asked_about_once()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Delay(TimeSpan.FromMilliseconds(500)));
        var form = service.Portal.LaunchFields("REST_APP_URI", 2, handler: new Uri(service.Url, "/placements/rest-app-uri").AbsoluteUri);
        var before = service.Bitrix.OAuth.Calls.Count;
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => service.PostAsync(form)));
        Assert.All(answers, static a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.Equal(before + 1, service.Bitrix.OAuth.Calls.Count);
    }

    [Fact]
    public async Task One_portal_leaves_places_to_others()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentConfirmations"] = "16" });
        var other = await service.Bitrix.AddPortalAsync(Token);
        await service.InstallAsync(other);
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Delay(TimeSpan.FromSeconds(2)));
        var crowd = Enumerable.Range(0, 30).Select(_ => service.LinkAsync(userId: 2)).ToList();
        await Task.Delay(300, Token);
        service.Bitrix.Faults.Clear();

        var started = Stopwatch.StartNew();
        using var answer = await service.LinkAsync(other, userId: 2);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.InRange(started.Elapsed.TotalSeconds, 0, 1.5);
        foreach (var late in await Task.WhenAll(crowd))
            late.Dispose();
    }

    [Fact]
    public async Task One_address_leaves_places_to_others()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentConfirmations"] = "16" });
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Delay(TimeSpan.FromSeconds(2)));
        var crowd = Enumerable.Range(0, 60).Select(i => service.LinkAsync(userId: 2, change: form =>
        {
            form.Body["member_id"] = i.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
            form.Body["AUTH_ID"] = "made-up-" + i;
        })).ToList();
        await AssertServedAmidAsync(service, crowd);
    }

    [Fact]
    public async Task Who_knows_a_member_id_alone_takes_no_place_of_the_portals_own_people()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentConfirmations"] = "16", ["Limits:ConcurrentRequests"] = "64" });
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Delay(TimeSpan.FromSeconds(2)));
        var crowd = Enumerable.Range(0, 120).Select(i => LaunchFromAsync(service, $"198.51.100.{i}", form =>
        {
            form.Body["AUTH_ID"] = "made-up-" + i;
            form.Body["APPLICATION_TOKEN"] = "guessed";
        })).ToList();
        await AssertServedAmidAsync(service, crowd);
    }

    [Fact]
    public async Task Owners_of_many_portals_keep_nobody_waiting_for_long()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentConfirmations"] = "16" });
        var owned = await Task.WhenAll(Enumerable.Range(0, 14).Select(_ => service.Bitrix.AddPortalAsync(Token)));
        foreach (var portal in owned)
            await service.InstallAsync(portal);
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Delay(TimeSpan.FromMilliseconds(300)));
        var crowd = Enumerable.Range(0, 14 * 14).Select(i => LaunchFromAsync(
            service, $"198.51.100.{i % 14}", form => form.Body["AUTH_ID"] = "made-up-" + i, owned[(i + (i / 14)) % 14])).ToList();
        await Task.Delay(100, Token);

        using var answer = await LaunchFromAsync(service, "192.0.2.7", static _ => { });

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var late in await Task.WhenAll(crowd))
            late.Dispose();
    }

    private static async Task AssertServedAmidAsync(Service service, List<Task<HttpResponseMessage>> crowd)
    {
        await Task.Delay(300, Token);
        service.Bitrix.Faults.Clear();

        var started = Stopwatch.StartNew();
        using var answer = await LaunchFromAsync(service, "192.0.2.7", static _ => { });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.InRange(started.Elapsed.TotalSeconds, 0, 1.5);
        foreach (var late in await Task.WhenAll(crowd))
            late.Dispose();
    }

    private static async Task<HttpResponseMessage> LaunchFromAsync(
        Service service, string address, Action<LaunchForm> change, SimPortal? portal = null)
    {
        var form = (portal ?? service.Portal).LaunchFields("REST_APP_URI", 2, handler: new Uri(service.Url, "/placements/rest-app-uri").AbsoluteUri);
        change(form);
        using var request = new HttpRequestMessage(HttpMethod.Post, form.Action.PathAndQuery) { Content = new FormUrlEncodedContent(form.Body) };
        request.Headers.Add("X-Forwarded-For", address);
        return await service.Http.SendAsync(request, Token);
    }

    [Fact]
    public async Task Who_goes_away_before_the_answer_has_failed_all_the_same()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:UnverifiedPerMinute"] = "3" });
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Delay(TimeSpan.FromMilliseconds(300)));
        for (var i = 0; i < 3; i++)
        {
            using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Token);
            impatient.CancelAfter(100);
            var form = service.Portal.LaunchFields("REST_APP_URI", 2, handler: new Uri(service.Url, "/placements/rest-app-uri").AbsoluteUri);
            form.Body["AUTH_ID"] = "made-up-" + i;
            using var content = new FormUrlEncodedContent(form.Body);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => service.Http.PostAsync(form.Action.PathAndQuery, content, impatient.Token));
        }

        await service.EventuallyAsync(async () =>
        {
            using var answer = await service.LinkAsync(userId: 2, accept: "application/json", change: static form => form.Body["AUTH_ID"] = "made-up");
            return answer.StatusCode == HttpStatusCode.TooManyRequests;
        }, "they are counted");
    }

    [Fact]
    public async Task An_address_over_its_budget_is_refused_before_anything_is_looked_up()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:UnverifiedPerMinute"] = "2" });
        for (var i = 0; i < 20; i++)
        {
            using var guess = await service.LinkAsync(accept: "application/json", change: f => (f.Body["member_id"], f.Body["AUTH_ID"]) = ($"{i:x32}", $"invented{i}"));
            Assert.Equal(HttpStatusCode.Forbidden, guess.StatusCode);
        }

        var before = service.Bitrix.OAuth.Calls.Count;
        using var refused = await service.LinkAsync(accept: "application/json", change: f => (f.Body["member_id"], f.Body["AUTH_ID"]) = (new string('a', 32), "invented"));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(before, service.Bitrix.OAuth.Calls.Count);
        // Failures of persons are no failures of workers.
        using var worker = await service.WorkerAsync(accept: "application/json", change: f => f.Body["member_id"] = new string('b', 32));
        Assert.Equal(HttpStatusCode.Forbidden, worker.StatusCode);
    }

    [Fact]
    public async Task A_worker_load_without_its_application_token_schedules_nothing()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Portal.Quirks.OldPortal = true;
        var before = (service.Bitrix.OAuth.Calls.Count, service.Portal.Calls.Count);
        using var answer = await service.WorkerAsync(change: f => f.Query["DOMAIN"] = "elsewhere.example.com");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Task.Delay(1500, Token);
        Assert.Equal(before, (service.Bitrix.OAuth.Calls.Count, service.Portal.Calls.Count));
    }
}
