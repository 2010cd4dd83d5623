using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>Two instances of the service on one PostgreSQL, under one public address, with one Bitrix24.</summary>
public sealed class Cluster : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;

    private Cluster(Bitrix24 bitrix, Service[] instances, string database, DirectoryInfo folder) => (Bitrix, Instances, Database, _folder) = (bitrix, instances, database, folder);

    public Bitrix24 Bitrix { get; }

    public IReadOnlyList<Service> Instances { get; }

    public Service First => Instances[0];

    public Service Second => Instances[1];

    public SimPortal Portal => Bitrix.Portals[0];

    public string Database { get; }

    /// <summary>Both begin at the same time on an empty database.</summary>
    public static async Task<Cluster> StartAsync(ThrowawayPostgres postgres)
    {
        var database = await postgres.NewDatabaseAsync();
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var bitrix = await Bitrix24.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var settings = Certificates.Settings(database, Certificates.Make(folder, "cluster"));
        settings["Bitrix24:RequestsPerSecond"] = settings["Bitrix24:RequestBurst"] = "1000";
        var port = Service.FreePort();
        settings["Bitrix24:PublicUrl"] = $"http://127.0.0.1:{port}";
        var instances = await Task.WhenAll(new[] { port, Service.FreePort() }.Select(p => Task.Run(() => Service.StartAsync(settings, bitrix, folder, port: p))));
        bitrix.ServiceUrl = settings["Bitrix24:PublicUrl"];
        return new(bitrix, instances, database, folder);
    }

    /// <summary>With the portal installed through the first instance.</summary>
    public static async Task<Cluster> StartInstalledAsync(ThrowawayPostgres postgres)
    {
        var cluster = await StartAsync(postgres);
        Assert.True((bool?)(await cluster.First.InstallAsync())["finished"]);
        cluster.Portal.FinishInstall();
        foreach (var instance in cluster.Instances)
        {
            using var worker = await instance.WorkerAsync();
            Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        }

        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in Instances)
            await instance.DisposeAsync();
        await Bitrix.DisposeAsync();
        _folder.Delete(true);
    }
}
