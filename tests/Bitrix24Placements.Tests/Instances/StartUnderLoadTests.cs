using System.Diagnostics;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>Pages that are loaded while an instance starts do not take the threads and connections that the start needs.</summary>
public sealed class StartUnderLoadTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_instance_on_PostgreSQL_is_ready_in_time_under_forty_loads_a_second()
    {
        await using var fleet = await (await Fleet.OnPostgreSqlAsync(postgres, 1)).StartAsync();
        var portals = new List<SimPortal>();
        for (var i = 0; i < 5; i++)
            portals.Add(await fleet.AddPortalAsync());
        await fleet.KillAsync(0);
        var started = Stopwatch.StartNew();
        await fleet.StartAsync();
        var alone = started.Elapsed;
        await fleet.KillAsync(0);

        started.Restart();
        var process = fleet.Begin(0);
        var ready = process.ReadyAsync();
        var loads = new List<Task>();
        for (var i = 0; !ready.IsCompleted; i++)
        {
            loads.Add(LoadAsync(process, portals[i % portals.Count], isWorker: i % 2 == 0));
            await Task.Delay(25, Token);
        }

        await ready;
        // It was three quarters of a minute, against less than a second. The loads themselves take their part of a busy machine.
        Assert.True(started.Elapsed < (4 * alone) + TimeSpan.FromSeconds(5), $"{started.Elapsed} against {alone}");
        await Task.WhenAll(loads);
    }

    private static async Task LoadAsync(ServiceProcess process, SimPortal portal, bool isWorker)
    {
        try
        {
            using var answer = await (isWorker ? process.WorkerAsync(portal) : process.LinkAsync(portal));
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
        }
    }
}
