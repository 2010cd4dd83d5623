using System.Security.Cryptography;
using System.Text;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Events;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Work;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Bitrix24Placements.Tests.Portals;

/// <summary>The store alone, as one instance of the service has it, on a database of its own.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private static readonly Lazy<string> Certificate = new(static () => Certificates.Make(Directory.CreateTempSubdirectory("b24p-cert-"), "store"));

    private const string MovableClock =
        """
        CREATE TABLE clock_offset (by INTERVAL NOT NULL);
        INSERT INTO clock_offset VALUES ('0');
        CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
            AS 'SELECT pg_catalog.clock_timestamp() + (SELECT by FROM public.clock_offset)';
        """;

    private readonly ServiceProvider _services;
    private readonly DirectoryInfo? _folder;

    private TestStore(ServiceProvider services, StorageOptions storage, FakeTimeProvider time, DirectoryInfo? folder) => (_services, Storage, Time, _folder) = (services, storage, time, folder);

    /// <summary>What every test of the store runs on.</summary>
    public static TheoryData<StorageProvider> BothDatabases => [StorageProvider.Sqlite, StorageProvider.PostgreSql];

    public StorageOptions Storage { get; }

    public FakeTimeProvider Time { get; }

    public PortalStore Portals => Get<PortalStore>();

    public WorkStore Work => Get<WorkStore>();

    public Database Database => Get<Database>();

    public HourStore Loads => new(Database, "worker_hours");

    public HourStore Heartbeats => new(Database, "heartbeats");

    public IServiceProvider Services => _services;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public InboxStore Inbox => Get<InboxStore>();

    /// <summary>Moves the clock of the process and that of the database.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        Time.Advance(by);
        if (Storage.Provider == StorageProvider.PostgreSql)
            await Database.ExecuteAsync($"UPDATE clock_offset SET by = by + {by} * interval '1 millisecond'", TestContext.Current.CancellationToken);
    }

    /// <summary>What is due, in the order of its priorities.</summary>
    public async Task<List<WorkItem>> ClaimAsync(int most)
    {
        var items = new List<WorkItem>();
        foreach (var priority in Enum.GetValues<WorkPriority>())
        {
            if (items.Count < most)
                items.AddRange(await Work.ClaimAsync(priority, most - items.Count, TestContext.Current.CancellationToken));
        }

        return items;
    }

    public static async Task<TestStore> OpenAsync(
        StorageProvider provider, ThrowawayPostgres postgres, bool schema = true, Dictionary<string, string?>? apps = null)
    {
        if (provider == StorageProvider.PostgreSql)
        {
            // A clock of our own in front of the server's.
            var storage = new StorageOptions { Provider = provider, ConnectionString = await postgres.NewDatabaseAsync() + ";Search Path=public,pg_catalog" };
            var store = await OpenAsync(storage, schema: schema, apps: apps);
            await store.Database.ExecuteAsync(MovableClock, TestContext.Current.CancellationToken);
            return store;
        }

        var folder = Directory.CreateTempSubdirectory("b24p-");
        return await OpenAsync(new StorageOptions { ConnectionString = $"Data Source={Path.Combine(folder.FullName, "placements.db")}" }, folder, schema, apps: apps);
    }

    public static async Task<TestStore> OpenAsync(StorageOptions storage, DirectoryInfo? folder = null, bool schema = true, Dictionary<string, string?>? settings = null,
        Dictionary<string, string?>? apps = null)
    {
        var certified = settings ?? (storage.Provider == StorageProvider.PostgreSql ? Certificates.Settings(storage.ConnectionString, Certificate.Value) : []);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(certified).AddInMemoryCollection(apps ?? []).Build();
        var keys = new DataProtectionSettings();
        keys.Read(configuration.GetSection(DataProtectionSettings.Section));
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(time);
        services.AddSingleton(Options.Create(storage));
        services.AddSingleton(Options.Create(keys));
        services.AddSingleton<IConfiguration>(configuration);
        services.AddDatabase();
        services.AddApps();
        services.AddPortals();
        services.AddWork();
        services.AddMetrics();
        services.AddEvents();
        var store = new TestStore(services.BuildServiceProvider(), storage, time, folder);
        if (!schema)
            return store;
        await store.Get<SchemaInstaller>().EnsureAsync(TestContext.Current.CancellationToken);
        await store.Portals.FollowChangesAsync(TestContext.Current.CancellationToken);
        return store;
    }

    /// <summary>Another instance of the service on the same database.</summary>
    public Task<TestStore> OpenAnotherAsync() => OpenAsync(Storage);

    public static ConfirmedInstallation Installation(PortalId id, string applicationToken = "application-token") => new()
    {
        Id = id,
        ClientEndpoint = new Uri("https://portal.example.com/rest/"),
        OAuthServer = new Uri("https://oauth.bitrix.info/"),
        UserId = 1,
        Tokens = Tokens("first"),
        ApplicationToken = new(applicationToken),
        // The year 1, which is the default, is too early for a clock that is corrected by the database's.
        ToldAt = DateTimeOffset.UnixEpoch,
    };

    public static PortalTokens Tokens(string name) => new(new("access-" + name), new("refresh-" + name), DateTimeOffset.FromUnixTimeMilliseconds(2_000_000_000_000));

    public static PortalId NewId() => new(Guid.NewGuid().ToString("n"));

    /// <summary>The same for the same name.</summary>
    public static PortalId Named(string name) => new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..32]);

    /// <summary>An installed portal.</summary>
    public async Task<Portal> InstalledAsync()
    {
        var id = NewId();
        await Portals.InstallAsync(Installation(id), TestContext.Current.CancellationToken);
        return await FindAsync(id);
    }

    public async Task<Portal> FindAsync(PortalId id)
    {
        var portal = await Portals.FindAsync(id, TestContext.Current.CancellationToken);
        Assert.NotNull(portal);
        return portal;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _folder?.Delete(true);
    }
}

internal static class StoredWork
{
    public static Task<bool> HasWorkAsync(this Database database, PortalId id, string kind) =>
        database.AnyAsync($"SELECT 1 FROM work WHERE {WorkStore.Is(id, kind)}", TestContext.Current.CancellationToken);

    /// <summary>Whatever the notice, and nobody is told.</summary>
    public static async Task<bool> UninstallAsync(this PortalStore portals, PortalId id, long epoch, bool clean, CancellationToken cancellationToken) =>
        await portals.FindAsync(id, cancellationToken) is { } now
        && await portals.UninstallAsync(now with { Epoch = epoch }, _ => clean, static (_, _) => Task.CompletedTask, cancellationToken);
}
