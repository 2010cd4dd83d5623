using System.Data.Common;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Bitrix24Placements.Tests.Instances;

/// <summary>Processes of the service on one database, under one public address, with one Bitrix24. They can be killed and replaced.</summary>
public sealed class Fleet : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly Dictionary<string, string?> _settings;
    private readonly Func<DbConnection> _connect;
    private readonly int[] _ports;
    private readonly int[] _management;
    private readonly ServiceProcess?[] _instances;

    private Fleet(Bitrix24 bitrix, DirectoryInfo folder, Dictionary<string, string?> settings, int size, Func<DbConnection> connect)
    {
        (Bitrix, _folder, _settings, _connect) = (bitrix, folder, settings, connect);
        _ports = [.. Enumerable.Range(0, size).Select(static _ => Service.FreePort())];
        _management = [.. Enumerable.Range(0, size).Select(static _ => Service.FreePort())];
        _instances = new ServiceProcess?[size];
        PublicUrl = $"http://127.0.0.1:{_ports[0]}";
        bitrix.ServiceUrl = PublicUrl;
        settings["Bitrix24:ClientId"] = bitrix.Options.ClientId;
        settings["Bitrix24:ClientSecret"] = bitrix.Options.ClientSecret;
        settings["Bitrix24:PublicUrl"] = PublicUrl;
        settings["Bitrix24:AllowInsecureHttp"] = "true";
        settings["Bitrix24:OAuthServers:0"] = bitrix.OAuth.Url;
        settings["Bitrix24:RequestsPerSecond"] = settings["Bitrix24:RequestBurst"] = "1000";
        settings["Signals:ApiKeys:0"] = Service.ApiKey;
    }

    public Bitrix24 Bitrix { get; }

    /// <summary>Working folder of the processes; with SQLite <c>data</c> is below it.</summary>
    public DirectoryInfo Folder => _folder;

    public SimPortal Portal => Bitrix.Portals[0];

    public string PublicUrl { get; }

    /// <summary>Whether several processes are on one database.</summary>
    public bool IsShared => _ports.Length > 1;

    /// <summary>Those that live.</summary>
    public IReadOnlyList<ServiceProcess> Living => [.. _instances.OfType<ServiceProcess>()];

    public ServiceProcess this[int index] => _instances[index] ?? throw new InvalidOperationException("It is dead.");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>On an empty PostgreSQL database. No process is started yet.</summary>
    /// <param name="way">Takes the database's connection string to the one that the processes get.</param>
    public static async Task<Fleet> OnPostgreSqlAsync(ThrowawayPostgres postgres, int size = 2, Func<string, string>? way = null)
    {
        var database = await postgres.NewDatabaseAsync();
        var folder = Directory.CreateTempSubdirectory("b24p-");
        return new(await Bitrix24.StartAsync(cancellationToken: Token), folder, Certificates.Settings(way?.Invoke(database) ?? database, Certificates.Make(folder, "fleet")), size,
            () => new NpgsqlConnection(database + ";Pooling=false"));
    }

    /// <summary>On a SQLite file that is not there yet, so with one process. It is not started yet.</summary>
    public static async Task<Fleet> OnSqliteAsync()
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var source = $"Data Source={Path.Combine(folder.FullName, "data", "placements.db")}";
        return new(await Bitrix24.StartAsync(cancellationToken: Token), folder, new() { ["Storage:ConnectionString"] = source }, 1, () => new SqliteConnection(source + ";Pooling=false"));
    }

    /// <summary>Starts all that are not there, together.</summary>
    public async Task<Fleet> StartAsync()
    {
        for (var i = 0; i < _instances.Length; i++)
            _instances[i] ??= Begin(i);
        await Task.WhenAll(Living.Select(static instance => instance.ReadyAsync()));
        return this;
    }

    /// <summary>Starts one and waits for nothing.</summary>
    public ServiceProcess Begin(int index, bool heedsFileModes = false)
    {
        var settings = new Dictionary<string, string?>(_settings) { ["Management:Port"] = $"{_management[index]}" };
        return _instances[index] = ServiceProcess.Begin(_folder, settings, _ports[index], heedsFileModes);
    }

    /// <summary>What the management port of an instance tells of portals.</summary>
    public async Task<JsonNode?> PortalCountsAsync(int index)
    {
        using var http = new HttpClient();
        return JsonNode.Parse(await http.GetStringAsync($"http://127.0.0.1:{_management[index]}/health/ready", Token))!["portals"];
    }

    public async Task KillAsync(int index)
    {
        this[index].Kill();
        await this[index].DisposeAsync();
        _instances[index] = null;
    }

    /// <summary>Another portal of the same Bitrix24, installed.</summary>
    public async Task<SimPortal> AddPortalAsync(int installedBy = 0)
    {
        var portal = Bitrix.Portals.Count == 1 && !Portal.App.InstallFinished ? Portal : await Bitrix.AddPortalAsync(Token);
        await this[installedBy].InstallAsync(portal);
        return portal;
    }

    public async Task<DbConnection> ConnectAsync()
    {
        var connection = _connect();
        await connection.OpenAsync(Token);
        return connection;
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(await command.ExecuteScalarAsync(Token), System.Globalization.CultureInfo.InvariantCulture);
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Token);
    }

    public async Task EventuallyAsync(Func<Task<bool>> happened, string what, int seconds = 30)
    {
        for (var until = DateTime.UtcNow.AddSeconds(seconds); DateTime.UtcNow < until;)
        {
            if (await happened())
                return;
            await Task.Delay(50, Token);
        }

        Assert.Fail($"Not in time: {what}. Written:\n{string.Join("\n--\n", Living.Select(static i => i.Output))}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in Living)
            await instance.DisposeAsync();
        await Bitrix.DisposeAsync();
        _folder.Delete(true);
    }
}
