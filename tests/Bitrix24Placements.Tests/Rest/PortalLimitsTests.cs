using Bitrix24Placements.Tests.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Bitrix24 = Bitrix24Placements.PortalSimulator.Bitrix24;

namespace Bitrix24Placements.Tests.Rest;

public sealed class PortalLimitsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

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
    public async Task One_portals_queue_holds_up_no_other_portal()
    {
        await using var limits = new PortalLimits(Options.Create(new Bitrix24Options { RequestsPerSecond = 0.01, RequestBurst = 1 }), TimeProvider.System);
        Assert.True(await limits.WaitAsync(TestStore.Named("one"), TimeSpan.FromSeconds(60), Token));
        using var gone = new CancellationTokenSource();
        var waiting = limits.WaitAsync(TestStore.Named("one"), TimeSpan.FromSeconds(60), gone.Token);

        Assert.True(await limits.WaitAsync(TestStore.Named("other"), TimeSpan.FromSeconds(60), Token));

        Assert.False(waiting.IsCompleted);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Nobody_waits_for_his_turn_beyond_his_own_deadline()
    {
        await using var service = await Service.StartInstalledAsync(new() { ["Bitrix24:RequestsPerSecond"] = "0.01", ["Bitrix24:RequestBurst"] = "20" });
        while (service.Get<PortalLimits>().WaitAsync(service.Portal.Id, TimeSpan.FromMilliseconds(20), Token) is var turn && await turn)
        {
        }

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
        await using var limits = new PortalLimits(Options.Create(new Bitrix24Options()), time);
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
