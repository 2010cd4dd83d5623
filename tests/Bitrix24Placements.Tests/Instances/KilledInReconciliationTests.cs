using System.Diagnostics;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>A process is killed while it brings registrations in order. Another one, or the next one, finds out what was done and does the rest, without anybody's help.</summary>
public sealed class KilledInReconciliationTests(ThrowawayPostgres postgres)
{
    private const string Link = "REST_APP_URI";
    private const string Worker = "PAGE_BACKGROUND_WORKER";

    /// <summary>A lease of ten seconds, the start of a process, and whatever else the machine is doing.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(25);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Mostly waiting for leases, so both at once. Without PostgreSQL it counts as skipped when the other half has held.</summary>
    [Fact]
    public Task Of_two_instances_the_other_goes_on_and_a_single_one_when_it_is_there_again() => Task.WhenAll(OneAsync(), TwoAsync());

    private async Task TwoAsync()
    {
        await using var fleet = await Fleet.OnPostgreSqlAsync(postgres);
        fleet.Begin(0);
        await fleet[0].ReadyAsync();
        await RunAsync(fleet);
    }

    private static async Task OneAsync()
    {
        await using var fleet = await (await Fleet.OnSqliteAsync()).StartAsync();
        await RunAsync(fleet);
    }

    private static async Task RunAsync(Fleet fleet)
    {
        var portals = new List<SimPortal>();
        for (var i = 0; i < 5; i++)
            portals.Add(await fleet.AddPortalAsync());
        var never = new TaskCompletionSource().Task;
        // In the middle of a bind that is not done yet, of one that is done, of an unbind of a stranger in the way, of a look, and of the events.
        await BeginAsync(fleet, portals[0], "placement.bind", Fault.Until(never));
        await BeginAsync(fleet, portals[1], "placement.bind", Fault.UntilAfter(never));
        await BeginAsync(fleet, portals[2], "placement.unbind", Fault.UntilAfter(never), static p => p.Register(Worker, "https://old.example.com/worker"));
        await BeginAsync(fleet, portals[3], "placement.get", Fault.Until(never));
        await BeginAsync(fleet, portals[4], "event.get", Fault.Until(never), static p => p.Unregister(Link));
        if (fleet.IsShared)
        {
            fleet.Begin(1);
            await fleet[1].ReadyAsync();
        }

        await fleet.KillAsync(0);
        var killed = Stopwatch.StartNew();
        if (!fleet.IsShared)
            await fleet.StartAsync();
        await fleet.EventuallyAsync(async () => portals.TrueForAll(p => IsRight(fleet, p)) && await fleet.CountAsync("SELECT COUNT(*) FROM work WHERE kind <> 'look'") == 0, "all registrations are right");

        TestContext.Current.TestOutputHelper?.WriteLine($"{(fleet.IsShared ? "Two on PostgreSQL" : "One on SQLite")}: right {killed.Elapsed.TotalSeconds:0.0} s after the kill");
        Assert.True(killed.Elapsed < Longest, killed.Elapsed.ToString());
        Assert.All(portals, static p => Assert.Equal(2, p.EventHandlers.Count));
    }

    /// <summary>The worker is gone, Bitrix24 tells, and the call that the fault stands for is under way.</summary>
    private static async Task BeginAsync(Fleet fleet, SimPortal portal, string method, Fault fault, Action<SimPortal>? disturb = null)
    {
        var notice = (string)portal.Placements.Single(static p => p.Placement == Worker).Options["errorHandlerUrl"]!;
        portal.Unregister(Worker);
        disturb?.Invoke(portal);
        portal.Calls.Clear();
        fleet.Bitrix.Faults.Next("rest:" + method, fault, portal: portal);
        using var answer = await fleet[0].Http.PostAsync(new Uri(notice).AbsolutePath, new FormUrlEncodedContent([new("error", "ERROR_PLACEMENT_LOADING_OVERTIME")]), Token);
        answer.EnsureSuccessStatusCode();
        await portal.Calls.WaitAsync(c => c.Method == method && c.Outcome is not null, 1, Token);
    }

    private static bool IsRight(Fleet fleet, SimPortal portal) =>
        portal.Placements.Select(static p => p.Handler).Order().SequenceEqual([fleet.PublicUrl + "/placements/page-background-worker", fleet.PublicUrl + "/placements/rest-app-uri"]);
}
