using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Tests.Refusals;

/// <summary>Beyond its limits the service says so at once, and worker pages are the last to hear it.</summary>
public sealed class PlacesTests
{
    private const string Worker = "/placements/page-background-worker";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_portal_that_has_used_its_share_is_refused_at_once_and_nobody_else_is()
    {
        // A sixteenth for a portal from one address, and the tests have one.
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentRequests"] = "32" });
        var other = await service.Bitrix.AddPortalAsync(Token);
        await service.InstallAsync(other);
        var known = other.LaunchFields("REST_APP_URI");
        using (var confirmed = await service.PostAsync(known))
            Assert.Equal(HttpStatusCode.OK, confirmed.StatusCode);
        var (waiting, goOn) = await WaitingAsync(service, 2);

        using var third = await service.LinkAsync(accept: "application/json");
        using var others = await service.PostAsync(known);
        using var home = await service.Http.GetAsync("/", Token);
        using var worker = await service.WorkerAsync();
        using var live = await service.Http.GetAsync("/health/live", Token);
        using var ready = await service.Http.GetAsync("/health/ready", Token);
        using var heard = await service.PostAsync("/events", service.Portal.EventFields("ONCRMDEALADD"));
        using var signal = await service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = service.Portal.MemberId, ["command"] = "test" });

        await AssertOverloadedAsync(third);
        Assert.All([others, home, worker, live, ready, heard], static a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.Equal(HttpStatusCode.Accepted, signal.StatusCode);
        goOn.SetResult();
        await waiting;
        using var again = await service.LinkAsync();
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public void A_few_portals_and_addresses_do_not_take_the_places_of_all()
    {
        var places = new Places(Options.Create(new LimitsOptions()), MemoryWatch.OfProcess());
        var context = new DefaultHttpContext();
        bool Take(int address, string portal)
        {
            context.Connection.RemoteIpAddress = new IPAddress(address);
            return places.TryTake(RequestKind.Person, context, portal).IsTaken;
        }

        for (var i = 0; i < 10_000; i++)
            Take(1 + (i % 8), $"hostile{i % 16}");

        Assert.All(Enumerable.Range(0, 8), i => Assert.True(Take(100 + i, $"honest{i % 2}")));
    }

    [Fact]
    public async Task A_body_that_is_still_on_its_way_takes_no_place()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentWorkerLoads"] = "1", ["Limits:ConcurrentRequests"] = "1" });
        var slow = Enumerable.Range(0, 20).Select(_ => new RawConnection(service.Url)).ToList();
        foreach (var (connection, path) in slow.Zip(Enumerable.Repeat(new[] { Worker, "/install", "/events", "/" }, 5).SelectMany(static p => p)))
            await connection.SendAsync($"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na=b");

        using var worker = await service.WorkerAsync();
        using var link = await service.LinkAsync();
        Assert.All([worker, link], static a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        slow.ForEach(static s => s.Dispose());
    }

    [Fact]
    public void Bitrix24_tells_of_all_portals_from_one_address_in_bursts_and_what_an_employee_sends_keeps_back_no_uninstallation()
    {
        var places = new Places(Options.Create(new LimitsOptions()), MemoryWatch.OfProcess());
        int Take(RequestKind kind, string address, string portal, int times) =>
            Enumerable.Range(0, times).Count(_ => places.TryTake(kind, From(address), portal).IsTaken);

        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(100, Take(RequestKind.Event, "192.0.2.1", $"busy {i}", 100)));
        Assert.Equal(20, Take(RequestKind.Event, "192.0.2.1", "quiet", 20));
        Assert.InRange(Take(RequestKind.Event, "192.0.2.66", "employee's", 1000) + Take(RequestKind.Event, "192.0.2.67", "employee's", 1000), 100, 256);
        Assert.Equal(1, Take(RequestKind.Uninstallation, "192.0.2.1", "employee's", 1));
    }

    [Fact]
    public void Rooms_portals_and_addresses_have_their_own_and_a_place_comes_back()
    {
        var places = new Places(Options.Create(new LimitsOptions { ConcurrentRequests = 32 }), MemoryWatch.OfProcess());
        bool Take(RequestKind kind, string address, string portal) => places.TryTake(kind, From(address), portal).IsTaken;
        var first = places.TryTake(RequestKind.Person, From("192.0.2.1"), "one");
        Assert.True(first.IsTaken && Take(RequestKind.Person, "192.0.2.1", "one"));
        Assert.False(Take(RequestKind.Person, "192.0.2.1", "one"), "one address takes no more than half of what a portal may have");
        Assert.True(Take(RequestKind.Person, "192.0.2.2", "one") && Take(RequestKind.Person, "192.0.2.2", "one"));
        Assert.False(Take(RequestKind.Person, "2001:db8::1", "one"), "a portal takes no more than an eighth");
        Assert.True(Enumerable.Range(0, 6).All(i => Take(RequestKind.Person, "192.0.2.1", $"other {i}")));
        Assert.False(Take(RequestKind.Person, "192.0.2.1", "yet another"), "an address takes no more than a quarter");
        Assert.True(Take(RequestKind.Person, "2001:db8::1", "yet another") && Take(RequestKind.Event, "192.0.2.1", "one"));
        first.Dispose();
        Assert.True(Take(RequestKind.Person, "192.0.2.1", "one"));
    }

    [Fact]
    public void What_waits_with_a_large_body_takes_as_many_places_as_small_ones_would_with_as_many_bytes()
    {
        var places = new Places(Options.Create(new LimitsOptions { ConcurrentRequests = 32 }), MemoryWatch.OfProcess());
        Place Take(string address, int bytes, int query = 0, int header = 0)
        {
            var context = From(address);
            context.Request.ContentLength = bytes;
            context.Request.Headers.Cookie = new string('c', header);
            context.Request.QueryString = new("?" + new string('q', query));
            return places.TryTake(RequestKind.UnconfirmedPerson, context, "");
        }

        var large = Take("192.0.2.1", 64 * 1024);
        Assert.True(large.IsTaken);
        Assert.False(Take("192.0.2.1", 100).IsTaken, "a quarter of all places is taken by one body");
        large.Dispose();
        Assert.True(Take("192.0.2.1", 100, query: 10 * 1024, header: 8 * 1024).IsTaken);
        Assert.False(Take("192.0.2.1", 24 * 1024).IsTaken, "a long query and headers are as large");
        Assert.True(Take("192.0.2.1", 100).IsTaken);
    }

    [Fact]
    public void Of_unfinished_bodies_large_ones_and_those_with_a_long_address_count_for_as_much_as_they_are()
    {
        var places = new Places(Options.Create(new LimitsOptions()), MemoryWatch.OfProcess());
        int Taken(string address, int bytes, int path)
        {
            var context = From(address);
            context.Request.ContentLength = bytes;
            context.Request.Path = "/" + new string('p', path);
            return Enumerable.Range(0, Places.MaxUnfinishedBodiesPerAddress).Count(_ => places.TryTakeForUnfinishedBody(context).IsTaken);
        }

        Assert.Equal(Places.MaxUnfinishedBodiesPerAddress / 8, Taken("192.0.2.1", 64 * 1024, path: 0));
        Assert.Equal(Places.MaxUnfinishedBodiesPerAddress / 4, Taken("192.0.2.2", 1024, path: 8 * 1024));
        Assert.Equal(Places.MaxUnfinishedBodiesPerAddress, Taken("192.0.2.3", 15 * 1024, path: 0));
    }

    [Fact]
    public void Large_bodies_of_many_addresses_leave_places_to_small_ones()
    {
        var places = new Places(Options.Create(new LimitsOptions()), MemoryWatch.OfProcess());
        for (var i = 0; i < 200; i++)
        {
            var context = From($"192.0.2.{i}");
            context.Request.ContentLength = 64 * 1024;
            context.Request.QueryString = new("?" + new string('q', 14 * 1024));
            places.TryTake(RequestKind.UnconfirmedEvent, context, "");
        }

        Assert.True(places.TryTake(RequestKind.UnconfirmedEvent, From("198.51.100.1"), "").IsTaken);
    }

    [Fact]
    public void While_memory_is_short_nobody_has_more_than_one_small_thing_and_workers_wait_for_nothing()
    {
        var places = new Places(Options.Create(new LimitsOptions()), new MemoryWatch(available: 1));
        var large = From("192.0.2.1");
        large.Request.ContentLength = 64 * 1024;
        Assert.False(places.TryTake(RequestKind.UnconfirmedPerson, large, "").IsTaken);
        Assert.False(places.TryTakeForUnfinishedBody(large).IsTaken);
        Assert.False(places.TryTakeForUnreadAnswer(From("192.0.2.1"), 256 * 1024).IsTaken);
        Assert.True(places.TryTake(RequestKind.UnconfirmedPerson, From("192.0.2.1"), "").IsTaken);
        Assert.False(places.TryTake(RequestKind.UnconfirmedPerson, From("192.0.2.1"), "").IsTaken);
        Assert.True(places.TryTake(RequestKind.UnconfirmedPerson, From("192.0.2.2"), "").IsTaken);
        Assert.True(places.TryTakeForUnfinishedBody(From("192.0.2.1")).IsTaken);
        Assert.True(places.TryTakeForUnreadAnswer(From("192.0.2.1"), 1024).IsTaken);
        Assert.All(Enumerable.Range(0, 100), _ => Assert.True(places.TryTake(RequestKind.Worker, From("192.0.2.1"), "one").IsTaken));
    }

    [Fact]
    public void Of_answers_that_nobody_reads_large_ones_count_for_as_much_as_they_are()
    {
        var places = new Places(Options.Create(new LimitsOptions()), MemoryWatch.OfProcess());
        int Taken(string address, long bytes) => Enumerable.Range(0, 1000).Count(_ => places.TryTakeForUnreadAnswer(From(address), bytes).IsTaken);

        Assert.Equal(64 / 4, Taken("192.0.2.1", 256 * 1024));
        Assert.Equal(64, Taken("192.0.2.2", 98 * 1024));
        Assert.True(Taken("192.0.2.3", 98 * 1024) > 0, "a large page of somebody else");
    }

    [Fact]
    public void A_few_silent_portals_of_a_backend_refuse_it_no_other_portal_and_more_of_them_no_other_backend()
    {
        var places = new Places(Options.Create(new LimitsOptions()), MemoryWatch.OfProcess());
        bool Take(string key, string portal) => places.TryTake(RequestKind.Signal, From("192.0.2.1"), portal, key).IsTaken;
        Assert.All(Enumerable.Range(0, 6 * PortalLimits.MaxWaiting), i => Assert.True(Take("one", $"silent {i % 6}")));
        Assert.All(Enumerable.Range(0, 40), i => Assert.True(Take("one", $"healthy {i}")));

        for (var i = 0; i < 2_000; i++)
            Take("one", $"silent {i % 20}");
        Assert.False(Take("one", "another"));
        Assert.All(Enumerable.Range(0, 48), _ => Assert.True(Take("two", "healthy")));
    }

    [Theory]
    [InlineData((int)RequestKind.UnconfirmedPerson)]
    [InlineData((int)RequestKind.UnconfirmedEvent)]
    [InlineData((int)RequestKind.Installation)]
    public void Whoever_claims_to_be_of_a_portal_keeps_its_own_people_out_of_nothing(int kind)
    {
        var places = new Places(Options.Create(new LimitsOptions()), MemoryWatch.OfProcess());
        for (var i = 0; i < 10_000; i++)
            places.TryTake((RequestKind)kind, From($"192.0.2.{i % 8}"), "claimed");

        Assert.True(places.TryTake((RequestKind)kind, From("198.51.100.1"), "claimed").IsTaken);
    }

    private static DefaultHttpContext From(string address)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        return context;
    }

    [Fact]
    public async Task A_full_queue_of_confirmations_is_told_at_once()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentConfirmations"] = "1" });
        var (waiting, goOn) = await WaitingAsync(service, 1);
        var others = new[] { service.LinkAsync(userId: 2, accept: "application/json"), service.LinkAsync(userId: 3, accept: "application/json") };

        var shed = await Task.WhenAny(others);

        await AssertOverloadedAsync(await shed);
        goOn.SetResult();
        await waiting;
        using var served = await others.Single(other => other != shed);
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
    }

    /// <summary>Launches that wait for the OAuth server, until the test lets it answer.</summary>
    private static async Task<(Task Waiting, TaskCompletionSource GoOn)> WaitingAsync(Service service, int count)
    {
        var goOn = new TaskCompletionSource();
        service.Bitrix.OAuth.Calls.Clear();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Until(goOn.Task));
        var waiting = Task.WhenAll(Enumerable.Range(0, count).Select(_ => service.LinkAsync()));
        await service.Bitrix.OAuth.Calls.WaitAsync(static c => c.Kind == "app.info", count, Token);
        return (waiting, goOn);
    }

    private static async Task AssertOverloadedAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("overloaded", await Service.CodeAsync(answer));
        Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
    }
}
