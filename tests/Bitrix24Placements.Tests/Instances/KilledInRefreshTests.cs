using System.Diagnostics;
using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Npgsql;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>Processes that are killed while they refresh a portal's tokens: another one goes on, and where the only valid tokens were lost with the process, an administrator's page brings new ones.</summary>
public sealed class KilledInRefreshTests(ThrowawayPostgres postgres)
{
    /// <summary>A lease of ten seconds, the start of a process, and whatever else the machine is doing.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(40);

    private enum Moment
    {
        /// <summary>The OAuth server has got the request and done nothing.</summary>
        Asked,

        /// <summary>The OAuth server has made new tokens, and the old ones void; its answer has not arrived.</summary>
        Rotated,

        /// <summary>The answer has arrived and waits for the database.</summary>
        NotYetStored,

        /// <summary>A few milliseconds after the server has begun to answer: nobody knows where.</summary>
        Answered,
    }

    private static readonly Moment[] Kills = [Moment.Asked, Moment.Rotated, Moment.NotYetStored, Moment.Answered, Moment.Asked, Moment.Answered];

    private sealed record Recovery(Moment Moment, SimPortal Portal, bool Dead, TimeSpan Took);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Mostly waiting for leases, so both at once. Without PostgreSQL it counts as skipped when the other half has held.</summary>
    [Fact]
    public Task Two_instances_on_PostgreSQL_in_turn_and_one_process_on_SQLite_six_times_each() => Task.WhenAll(OneAsync(), TwoAsync());

    private async Task TwoAsync()
    {
        await using var fleet = await (await Fleet.OnPostgreSqlAsync(postgres)).StartAsync();
        await RunAsync(fleet);
    }

    private static async Task OneAsync()
    {
        await using var fleet = await (await Fleet.OnSqliteAsync()).StartAsync();
        await RunAsync(fleet);
    }

    /// <summary>Every kill has its own portal, so that the next one does not have to wait until the lease of the last has run out.</summary>
    private static async Task RunAsync(Fleet fleet)
    {
        var portals = new List<SimPortal>();
        foreach (var _ in Kills)
            portals.Add(await fleet.AddPortalAsync());
        var instances = fleet.Living.Count;
        var recoveries = new List<Task<Recovery>>();
        for (var kill = 0; kill < Kills.Length; kill++)
        {
            var victim = kill % instances;
            await KillAsync(fleet, victim, portals[kill], Kills[kill]);
            recoveries.Add(RecoverAsync(fleet, portals[kill], Kills[kill]));
            // The last replacement comes when the survivor has done everything alone.
            if (kill == Kills.Length - 1 && instances > 1)
                await Task.WhenAll(recoveries);
            await fleet.StartAsync();
        }

        var outcomes = await Task.WhenAll(recoveries);
        foreach (var outcome in outcomes)
            TestContext.Current.TestOutputHelper?.WriteLine($"{instances} on one database, {outcome.Moment}: {(outcome.Dead ? "tokens dead" : "goes on")} after {outcome.Took.TotalSeconds:0.0} s");
        Assert.All(outcomes, static o => Assert.True(o.Took < Longest, $"{o.Moment}: {o.Took}"));
        // What has arrived lies in the spool before the database gets it: it is never lost.
        Assert.All(outcomes, static o => Assert.True(o.Dead == (o.Moment is Moment.Rotated) || o.Moment is Moment.Asked or Moment.Answered, o.Moment.ToString()));
        // Nothing else makes tokens die but an answer of the server that a kill has swallowed, be it a later one.
        Assert.All(outcomes, o => Assert.True(!o.Dead || fleet.Bitrix.OAuth.Calls.Any(c => c is { Kind: "token", Outcome: "ok" } && c.MemberId == o.Portal.MemberId), o.Moment.ToString()));
        await AssertHealAsync(fleet, [.. outcomes.Where(static o => o.Dead).Select(static o => o.Portal)]);
        await AssertServedAsync(fleet, portals);
    }

    private static async Task KillAsync(Fleet fleet, int victim, SimPortal portal, Moment moment)
    {
        portal.ExpireTokens();
        var gate = new TaskCompletionSource();
        if (moment != Moment.Answered)
            fleet.Bitrix.Faults.Next("oauth:token", moment == Moment.Asked ? Fault.Until(gate.Task) : Fault.UntilAfter(gate.Task), portal: portal);
        var lost = fleet[victim].TrySignalAsync(portal);
        await fleet.Bitrix.OAuth.Calls.WaitAsync(c => c.IsRefresh && c.MemberId == portal.MemberId && (moment == Moment.Asked || c.Outcome == "ok"), 1, Token);
        if (moment == Moment.Answered)
            await Task.Delay(Random.Shared.Next(20), Token);
        if (moment == Moment.NotYetStored)
            await KillWaitingForTheDatabaseAsync(fleet, victim, portal, gate);
        else
            await fleet.KillAsync(victim);
        // An answer that was there already is no matter.
        await lost;
    }

    private static async Task KillWaitingForTheDatabaseAsync(Fleet fleet, int victim, SimPortal portal, TaskCompletionSource gate)
    {
        await using var connection = await fleet.ConnectAsync();
        await using var held = await connection.BeginTransactionAsync(Token);
        await using var hold = connection.CreateCommand();
        hold.CommandText = $"UPDATE portals SET epoch = epoch WHERE member_id = '{portal.MemberId}'";
        await hold.ExecuteNonQueryAsync(Token);
        gate.SetResult();
        if (connection is NpgsqlConnection)
            await fleet.EventuallyAsync(async () => await fleet.CountAsync("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0, "the answer waits for the database");
        else
            await Task.Delay(500, Token);
        await fleet.KillAsync(victim);
    }

    /// <summary>Whoever lives is asked until a signal is accepted, or the tokens are said to be dead.</summary>
    private static async Task<Recovery> RecoverAsync(Fleet fleet, SimPortal portal, Moment moment)
    {
        var killed = Stopwatch.StartNew();
        while (killed.Elapsed < Longest)
        {
            foreach (var instance in fleet.Living)
            {
                var answer = await instance.TrySignalAsync(portal);
                var dead = answer?.Detail?.Contains("administrator", StringComparison.Ordinal) == true;
                if (dead || answer?.Status == HttpStatusCode.Accepted)
                    return new(moment, portal, dead, killed.Elapsed);
            }

            await Task.Delay(100, Token);
        }

        Assert.Fail($"{moment}: nobody goes on. Written:\n{string.Join("\n--\n", fleet.Living.Select(static i => i.Output))}");
        return null!;
    }

    /// <summary>Dead tokens are told, nobody asks for them any more, and an administrator's page is all they need.</summary>
    private static async Task AssertHealAsync(Fleet fleet, List<SimPortal> dead)
    {
        Assert.Equal(dead.Count, await fleet.CountAsync($"SELECT COUNT(*) FROM portals WHERE tokens_state = {(int)TokenState.Dead}"));
        await fleet.EventuallyAsync(async () => (int?)(await fleet.PortalCountsAsync(fleet.Living.Count - 1))?["deadTokens"] == dead.Count, "health tells the dead tokens", 40);
        var asked = fleet.Bitrix.OAuth.Calls.Count(static c => c.IsRefresh);
        foreach (var portal in dead)
        {
            Assert.NotEqual(HttpStatusCode.Accepted, (await fleet.Living[0].TrySignalAsync(portal))?.Status);
            using (var employee = await fleet.Living[^1].AppPageAsync(portal, userId: 2))
                Assert.Contains("data-state=\"dead\"", await employee.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
            Assert.NotEqual(HttpStatusCode.Accepted, (await fleet.Living[^1].TrySignalAsync(portal))?.Status);
            Assert.Equal(asked, fleet.Bitrix.OAuth.Calls.Count(static c => c.IsRefresh));
            using var administrator = await fleet.Living[^1].AppPageAsync(portal);
            Assert.Equal(HttpStatusCode.OK, administrator.StatusCode);
        }
    }

    private static async Task AssertServedAsync(Fleet fleet, List<SimPortal> portals)
    {
        foreach (var portal in portals)
        {
            foreach (var instance in fleet.Living)
            {
                Assert.Equal((HttpStatusCode.Accepted, null), await instance.TrySignalAsync(portal));
                using var worker = await instance.WorkerAsync(portal);
                Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
            }
        }
    }
}
