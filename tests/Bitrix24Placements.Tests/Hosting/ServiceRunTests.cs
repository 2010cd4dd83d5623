using Bitrix24Placements.Hosting;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>Faults of what runs in the background.</summary>
public sealed class ServiceRunTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_that_stops_for_a_fault_does_not_end_with_status_0()
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls($"http://127.0.0.1:{Service.FreePort()}");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Storage:ConnectionString"] = $"Data Source={folder.FullName}/placements.db" });
        builder.AddBitrix24Placements();
        builder.Services.AddHostedService<Faulty>();

        Assert.Equal(1, await builder.RunServiceAsync(static _ => { }).WaitAsync(TimeSpan.FromSeconds(40), Token));
        folder.Delete(true);
    }

    [Fact]
    public async Task A_service_in_the_background_that_fails_is_told_and_goes_on()
    {
        await using var service = await Service.StartAsync(services: static s => s.AddHostedService<FaultyOnce>());

        await service.EventuallyAsync(() => service.Logs.Any(static l => l.StartsWith("Error: FaultyOnce failed; it goes on", StringComparison.Ordinal)), "it is told");
        await service.EventuallyAsync(static () => FaultyOnce.Runs > 1, "it goes on");
        using var worker = await service.Http.GetAsync("/health/ready", Token);
        Assert.True(worker.IsSuccessStatusCode);
    }

    private sealed class Faulty : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Delay(100, stoppingToken);
            throw new InvalidOperationException("A fault of the program.");
        }
    }

    private sealed class FaultyOnce(Readiness readiness) : RepeatingService(readiness, TimeSpan.FromMilliseconds(50))
    {
        public static int Runs { get; private set; }

        protected override Task RunOnceAsync(CancellationToken stoppingToken) =>
            Runs++ == 0 ? throw new InvalidOperationException("A fault of the program.") : Task.CompletedTask;
    }
}
