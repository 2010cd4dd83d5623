using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using LoadData;

namespace Bitrix24Placements.Tests.Portals;

/// <summary>What is looked up must not become slower with the number of portals.</summary>
public sealed class LookupTests(LookupTests.ManyRows many) : IClassFixture<LookupTests.ManyRows>
{
    private const int Portals = 20_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Portals_are_found_as_they_were_filled_in()
    {
        var portal = await many.Store.FindAsync(new(ManyPortals.MemberId(Portals - 1)));

        Assert.Equal((PortalState.Installed, TokenState.Good), (portal.State, portal.TokenState));
        Assert.Equal(portal.Id, await many.Store.Portals.FindByRemovalKeyAsync(ManyPortals.RemovalKey(Portals - 1), Token));
        Assert.Equal(ManyPortals.RemovalKey(Portals - 1), portal.RemovalKey.Reveal());
        Assert.Equal(Portals, (await many.Store.Portals.CountAsync(Token)).Installed);
    }

    /// <summary>Each statement as the store sends it, seen by the database itself.</summary>
    [Fact]
    public async Task No_statement_of_daily_life_reads_a_whole_table()
    {
        var store = many.Store;
        var id = ManyPortals.MemberId(7);
        var found = await store.FindAsync(new(id));
        var statements = await StatementsAsync(store, async () =>
        {
            await store.Portals.FindAsync(new(id), Token);
            await store.Portals.FindByRemovalKeyAsync("key", Token);
            await store.Portals.OfOtherDeclarationAsync("another", new("another", new(id)), 10, Token);
            await store.Portals.UnusedSinceAsync(DateTimeOffset.UnixEpoch, 10, Token);
            await store.Portals.FollowChangesAsync(Token);
            await store.Portals.TryLeaseRefreshAsync(new(id), found.TokensVersion, "owner", TimeSpan.FromSeconds(1), Token);
            await store.Portals.StoreRefreshedAsync(new(id), found.TokensVersion, TestStore.Tokens("new"), Token);
            await store.Work.RequestAsync(new(new(id), WorkKind.Reconcile), Token);
            await store.ClaimAsync(8);
            await store.Loads.SinceAsync(new(id), 0, Token);
            await store.Loads.ForgetAsync(1, Token);
        });

        Assert.True(statements.Count >= 10, string.Join('\n', statements.Keys));
        Assert.All(statements, static s => Assert.DoesNotContain(s.Value, static step => step.StartsWith("SCAN portals", StringComparison.Ordinal) || step.StartsWith("SCAN p ", StringComparison.Ordinal)
            || step is "SCAN p" or "SCAN work" or "SCAN worker_hours" or "SCAN portal_changes"));
    }

    [Fact]
    public async Task The_memory_of_portals_stays_within_its_configuration()
    {
        var directory = many.Store.Get<PortalDirectory>();
        for (var number = 0; number < 3000; number++)
            Assert.NotNull(await many.Store.Portals.KnownAsync(new(ManyPortals.MemberId(number)), Token));

        Assert.InRange(directory.Count, 400, 500);
    }

    private static async Task<Dictionary<string, List<string>>> StatementsAsync(TestStore store, Func<Task> work)
    {
        var plans = new Dictionary<string, List<string>>();
        foreach (var sql in await SqlTrace.RecordAsync(store.Database, work))
            plans[sql] = await store.Database.RunAsync(connection => SqlTrace.PlanAsync(connection, sql), Token);
        return plans;
    }

    public sealed class ManyRows : IAsyncLifetime
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");

        internal TestStore Store { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var file = Path.Combine(_folder.FullName, "placements.db");
            await ManyPortals.FillAsync(file, Portals, "https://app.example.com", null, Token);
            Store = await TestStore.OpenAsync(new StorageOptions { ConnectionString = $"Data Source={file}", CachedPortals = 500 }, _folder);
        }

        public ValueTask DisposeAsync() => Store.DisposeAsync();
    }
}
