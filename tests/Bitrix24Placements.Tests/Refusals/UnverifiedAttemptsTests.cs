using System.Globalization;
using System.Net;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Bitrix24Placements.Tests.Refusals;

/// <summary>Failed attempts are counted by address and member_id; what verifies from memory is not.</summary>
public sealed class UnverifiedAttemptsTests
{
    private static readonly Dictionary<string, string?> Small = new() { ["Limits:UnverifiedPerMinute"] = "3" };

    [Fact]
    public async Task The_fourth_failure_is_refused_and_those_who_are_known_are_not()
    {
        await using var service = await Service.StartInstalledAsync(Small);
        var known = service.Portal.LaunchFields("REST_APP_URI", 2);
        using (var first = await service.PostAsync(known))
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);

        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.Forbidden, await ForgedAsync(service));
        using var refused = await service.LinkAsync(accept: "application/json", change: f => f.Body["AUTH_ID"] = "forged");

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("tooManyAttempts", await Service.CodeAsync(refused));
        Assert.True(refused.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        for (var i = 0; i < 20; i++)
        {
            using var link = await service.PostAsync(known);
            Assert.Equal(HttpStatusCode.OK, link.StatusCode);
            using var worker = await service.WorkerAsync(userId: 3);
            Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        }
    }

    [Fact]
    public async Task Another_portal_behind_the_same_address_is_unaffected()
    {
        await using var service = await Service.StartInstalledAsync(Small);
        var other = await service.Bitrix.AddPortalAsync(TestContext.Current.CancellationToken);
        await service.InstallAsync(other);
        for (var i = 0; i < 5; i++)
            await ForgedAsync(service);
        Assert.Equal(HttpStatusCode.TooManyRequests, await ForgedAsync(service));

        using var link = await service.LinkAsync(other, userId: 2);
        Assert.Equal(HttpStatusCode.OK, link.StatusCode);
    }

    [Fact]
    public async Task Successes_are_not_counted()
    {
        await using var service = await Service.StartInstalledAsync(Small);
        for (var i = 0; i < 10; i++)
        {
            using var link = await service.LinkAsync(userId: 1 + (i % 3));
            Assert.Equal(HttpStatusCode.OK, link.StatusCode);
        }
    }

    [Fact]
    public async Task Forged_workers_events_installations_keys_and_removal_keys_are_counted()
    {
        await using var service = await Service.StartInstalledAsync(Small);
        var forged = service.Portal.EventFields("ONAPPUNINSTALL");
        forged["auth[application_token]"] = "forged";
        await AssertLimitedAsync(() => service.PostAsync("/events", forged), HttpStatusCode.Forbidden);

        var unknown = new string('1', 32);
        await AssertLimitedAsync(() => service.WorkerAsync(change: f => f.Body["member_id"] = unknown), HttpStatusCode.Forbidden);
        await AssertLimitedAsync(() => service.PostAsync("/placements/page-background-worker/removed/forged", []), HttpStatusCode.NotFound);
        await AssertLimitedAsync(() => service.ApiAsync("/api/signals", new System.Text.Json.Nodes.JsonObject(), "forged"), HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_key_that_is_good_is_accepted_however_many_were_not()
    {
        await using var service = await Service.StartInstalledAsync(Small);
        for (var i = 0; i < 6; i++)
            (await service.ApiAsync("/api/links", new System.Text.Json.Nodes.JsonObject(), "forged")).Dispose();
        using var answer = await service.ApiAsync("/api/links", new System.Text.Json.Nodes.JsonObject());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task An_event_and_a_removal_notice_that_are_genuine_are_heard_however_many_were_not()
    {
        await using var service = await Service.StartInstalledAsync(Small);
        var forged = service.Portal.EventFields("ONCRMDEALADD");
        forged["auth[application_token]"] = "forged";
        await AssertLimitedAsync(() => service.PostAsync("/events", forged), HttpStatusCode.Forbidden);
        await AssertLimitedAsync(() => service.PostAsync("/placements/page-background-worker/removed/forged", []), HttpStatusCode.NotFound);

        using var heard = await service.PostAsync("/events", service.Portal.EventFields("ONCRMDEALADD"));
        Assert.Equal(HttpStatusCode.OK, heard.StatusCode);
        using var noted = await service.PostAsync(new Uri(service.Portal.RemovalUrl()!).AbsolutePath, []);
        Assert.Equal(HttpStatusCode.OK, noted.StatusCode);
    }

    [Fact]
    public async Task Failures_of_workers_persons_and_events_are_counted_apart()
    {
        await using var service = await Service.StartInstalledAsync(Small);
        await AssertLimitedAsync(() => service.WorkerAsync(change: f => f.Body["APPLICATION_TOKEN"] = "forged"), HttpStatusCode.Forbidden);

        await AssertLimitedAsync(() => service.LinkAsync(change: f => f.Body["AUTH_ID"] = "forged"), HttpStatusCode.Forbidden);
        using var unconfirmed = await service.PostAsync("/events", service.Portal.EventFields("ONAPPINSTALL"));
        Assert.Equal(HttpStatusCode.OK, unconfirmed.StatusCode);
    }

    [Fact]
    public async Task An_address_that_tries_one_portal_after_another_has_ten_times_as_much_and_no_more()
    {
        await using var service = await Service.StartInstalledAsync(Small);
        for (var i = 0; i < 31; i++)
        {
            var unknown = i.ToString("x32", CultureInfo.InvariantCulture);
            using var answer = await service.WorkerAsync(change: f => f.Body["member_id"] = unknown);
            Assert.Equal(i < 30 ? HttpStatusCode.Forbidden : HttpStatusCode.TooManyRequests, answer.StatusCode);
        }
    }

    [Fact]
    public void Ten_million_addresses_take_no_memory_and_refuse_nobody_else()
    {
        var attempts = new UnverifiedAttempts(Options.Create(new LimitsOptions()), TimeProvider.System);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Parallel.For(0, 100, part =>
        {
            var context = new DefaultHttpContext();
            for (var i = 0; i < 100_000; i++)
            {
                context.Connection.RemoteIpAddress = new IPAddress((part * 100_000L) + i);
                attempts.Failed(context, RequestKind.Worker, "da45a03b265edd8787f8a258d793cc5d");
            }
        });

        // Six bytes an address: other tests are running, too.
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 * 1024 * 1024);
        var another = new DefaultHttpContext();
        another.Connection.RemoteIpAddress = IPAddress.Parse("203.0.113.7");
        Assert.True(attempts.MayTry(another, RequestKind.Worker, "da45a03b265edd8787f8a258d793cc5d"));
    }

    [Fact]
    public void A_minute_later_all_is_forgotten()
    {
        var time = new FakeTimeProvider();
        var attempts = new UnverifiedAttempts(Options.Create(new LimitsOptions { UnverifiedPerMinute = 1 }), time);
        var context = new DefaultHttpContext();
        attempts.Failed(context, RequestKind.Person, "portal");
        Assert.False(attempts.MayTry(context, RequestKind.Person, "portal"));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(attempts.MayTry(context, RequestKind.Person, "portal"));
    }

    private static async Task<HttpStatusCode> ForgedAsync(Service service)
    {
        using var answer = await service.LinkAsync(change: f => f.Body["AUTH_ID"] = "forged");
        return answer.StatusCode;
    }

    private static async Task AssertLimitedAsync(Func<Task<HttpResponseMessage>> sendAsync, HttpStatusCode failure)
    {
        for (var i = 0; i < 4; i++)
        {
            using var answer = await sendAsync();
            Assert.Equal(i < 3 ? failure : HttpStatusCode.TooManyRequests, answer.StatusCode);
        }
    }
}
