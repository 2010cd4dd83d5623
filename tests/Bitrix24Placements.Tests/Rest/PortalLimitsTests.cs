using System.Threading.RateLimiting;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Portals;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Bitrix24 = Bitrix24Placements.PortalSimulator.Bitrix24;
using Fault = Bitrix24Placements.PortalSimulator.Fault;

namespace Bitrix24Placements.Tests.Rest;

public sealed class PortalLimitsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static PortalLimits Limits(double perSecond, int burst) =>
        new(Options.Create(new Bitrix24Options { RequestsPerSecond = perSecond, RequestBurst = burst }), TimeProvider.System);

    private static Task<RestResult<RateLimitLease>> EnterAsync(PortalLimits limits, string portal, CallLane lane = CallLane.App) =>
        limits.EnterAsync(TestStore.Named(portal), lane, TimeSpan.FromSeconds(60), Token);

    [Fact]
    public async Task Calls_beyond_the_burst_queue_and_are_sent_at_the_portals_pace()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Bitrix24:RequestsPerSecond"] = "10", ["Bitrix24:RequestBurst"] = "10" });
        var started = TimeProvider.System.GetTimestamp();

        var results = await Task.WhenAll(Enumerable.Range(0, 25).Select(_ => service.CallAsync("placement.list")));

        Assert.All(results, static r => Assert.True(r.Ok));
        Assert.True(TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromSeconds(1.3));
    }

    [Fact]
    public async Task After_a_rest_there_is_one_burst_and_not_two()
    {
        using var limits = Limits(perSecond: 5, burst: 20);
        Assert.True((await EnterAsync(limits, "one")).Ok);
        // Not for so long that the portal is forgotten, and begins anew.
        await Task.Delay(TimeSpan.FromSeconds(5), Token);

        var calls = Enumerable.Range(0, 40).Select(i => EnterAsync(limits, "one", i < 20 ? CallLane.App : CallLane.Own)).ToList();
        await Task.Delay(TimeSpan.FromSeconds(0.5), Token);

        Assert.InRange(calls.Count(static c => c.IsCompleted), 20, 24);
    }

    [Fact]
    public async Task One_portals_queue_holds_up_no_other_portal()
    {
        using var limits = Limits(perSecond: 0.01, burst: 1);
        Assert.True((await EnterAsync(limits, "one")).Ok);
        using var gone = new CancellationTokenSource();
        var waiting = limits.EnterAsync(TestStore.Named("one"), CallLane.App, TimeSpan.FromSeconds(60), gone.Token);

        Assert.True((await EnterAsync(limits, "other")).Ok);

        Assert.False(waiting.IsCompleted);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_few_dozen_calls_wait_for_a_portal_and_what_comes_then_is_told_when_to_come_again()
    {
        using var limits = Limits(perSecond: 0.5, burst: 1);
        Assert.True((await EnterAsync(limits, "one")).Ok);
        using var gone = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, PortalLimits.MaxUnderWay - 1 + PortalLimits.MaxWaiting)
            .Select(_ => limits.EnterAsync(TestStore.Named("one"), CallLane.App, TimeSpan.FromSeconds(60), gone.Token)).ToList();

        var refused = await EnterAsync(limits, "one");

        Assert.Equal(RestErrorKind.TooMany, refused.Error!.Kind);
        // Those under way come first, every two seconds one.
        Assert.Equal(TimeSpan.FromSeconds(2 * PortalLimits.MaxUnderWay), refused.Error.RetryAfter);
        // Neither the service's own calls nor those of users are among them.
        Assert.False(limits.EnterAsync(TestStore.Named("one"), CallLane.Own, TimeSpan.FromSeconds(60), gone.Token).IsCompleted);
        Assert.False(limits.EnterAsync(TestStore.Named("one"), CallLane.User, TimeSpan.FromSeconds(60), gone.Token).IsCompleted);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
        Assert.False(EnterAsync(limits, "one").IsCompleted);
    }

    [Fact]
    public async Task Users_calls_leave_half_of_the_portals_pace_to_the_service()
    {
        using var limits = Limits(perSecond: 1, burst: 10);
        var users = Enumerable.Range(0, 20).Select(_ => EnterAsync(limits, "one", CallLane.User)).ToList();
        var administrators = Enumerable.Range(0, 20).Select(_ => EnterAsync(limits, "one", CallLane.Administrator)).ToList();
        Assert.Equal((3, 1), (users.Count(static u => u.IsCompleted), administrators.Count(static u => u.IsCompleted)));

        for (var i = 0; i < 6; i++)
            Assert.True(EnterAsync(limits, "one").IsCompleted);

        Assert.True((await EnterAsync(limits, "one").WaitAsync(TimeSpan.FromSeconds(5), Token)).Ok);
    }

    [Fact]
    public async Task A_silent_portal_holds_only_so_many_connections()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:user.update", Fault.Hang());
        var calls = Enumerable.Range(0, 60).Select(_ => service.CallAsync("user.update", TimeSpan.FromSeconds(3))).ToList();

        await service.EventuallyAsync(
            () => calls.Count(static c => c.IsCompletedSuccessfully && c.Result.Error!.Kind == RestErrorKind.TooMany) == 60 - PortalLimits.MaxWaiting - PortalLimits.MaxUnderWay,
            "the others are told to come later");

        Assert.Equal(PortalLimits.MaxUnderWay, service.Outcomes("user.update").Length);
        await Task.WhenAll(calls);
    }

    [Fact]
    public async Task Nobody_waits_for_his_turn_beyond_his_own_deadline()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Bitrix24:RequestsPerSecond"] = "0.01", ["Bitrix24:RequestBurst"] = "20" });
        while (await service.Get<PortalLimits>().EnterAsync(service.Portal.Id, CallLane.App, TimeSpan.FromMilliseconds(20), Token) is { Ok: true, Value: var turn })
            turn.Dispose();

        var started = TimeProvider.System.GetTimestamp();
        var result = await service.CallAsync("placement.list", deadline: TimeSpan.FromMilliseconds(200));

        Assert.Equal("bitrix24Unavailable", result.Error!.Code);
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(5));
        Assert.Empty(service.Outcomes("placement.list"));
    }

    [Fact]
    public async Task A_blocked_method_is_open_again_when_the_portal_said_so_and_never_closed_for_long()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var limits = new PortalLimits(Options.Create(new Bitrix24Options()), time);
        limits.Block(TestStore.Named("one"), "told", time.GetUtcNow() + TimeSpan.FromMinutes(3));
        limits.Block(TestStore.Named("one"), "untold", null);
        limits.Block(TestStore.Named("one"), "nonsense", time.GetUtcNow() + TimeSpan.FromDays(1000));

        Assert.NotNull(limits.BlockedUntil(TestStore.Named("one"), "told"));
        Assert.Null(limits.BlockedUntil(TestStore.Named("one"), "other"));
        Assert.Null(limits.BlockedUntil(TestStore.Named("other"), "told"));
        time.Advance(TimeSpan.FromMinutes(3));
        Assert.Null(limits.BlockedUntil(TestStore.Named("one"), "told"));
        Assert.NotNull(limits.BlockedUntil(TestStore.Named("one"), "untold"));
        time.Advance(TimeSpan.FromMinutes(7));
        Assert.Null(limits.BlockedUntil(TestStore.Named("one"), "untold"));
        Assert.Null(limits.BlockedUntil(TestStore.Named("one"), "nonsense"));
    }

    [Fact]
    public async Task A_portal_that_counts_strictly_is_never_made_to_refuse()
    {
        await using var bitrix = await Bitrix24.StartAsync(new() { RateLimit = true }, Token);
        await using var service = await Service.StartInstalledAsync(bitrix: bitrix);
        service.Portal.Limit.Reset();

        await Task.WhenAll(Enumerable.Range(0, 45).Select(_ => service.CallAsync("placement.list")));

        Assert.DoesNotContain("QUERY_LIMIT_EXCEEDED", service.Outcomes("placement.list"));
    }
}
