using System.Diagnostics;
using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Events;

public sealed class UninstallBurstTests(ThrowawayPostgres postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");

    [Theory, InlineData(StorageProvider.Sqlite), InlineData(StorageProvider.PostgreSql)]
    public async Task One_of_many_notices_waits_for_the_first_check_and_the_others_do_not(StorageProvider provider)
    {
        await using var service = await Service.StartInstalledAsync(provider == StorageProvider.Sqlite ? null
            : Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(_folder, "burst")));
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Next("oauth:app.info", Fault.Until(goOn.Task));

        var took = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TellAsync(service)));

        Assert.Single(took, static t => t >= TimeSpan.FromSeconds(1.9));
        goOn.SetResult();
    }

    private static async Task<TimeSpan> TellAsync(Service service)
    {
        var started = Stopwatch.GetTimestamp();
        using var answer = await service.PostAsync("/events", service.Portal.EventFields("ONAPPUNINSTALL"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return Stopwatch.GetElapsedTime(started);
    }

    public void Dispose() => _folder.Delete(true);
}
