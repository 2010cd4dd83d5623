using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class HourStoreTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Instances_add_their_loads_up(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();

        await store.Loads.AddAsync([new(TestStore.Named("one"), 100, 10, 1, 6000), new(TestStore.Named("one"), 101, 5, 0, 20)], Token);
        await another.Loads.AddAsync([new(TestStore.Named("one"), 100, 3, 2, 5500), new(TestStore.Named("other"), 100, 1, 0, 1)], Token);

        Assert.Equal([new(TestStore.Named("one"), 100, 13, 3, 6000), new(TestStore.Named("one"), 101, 5, 0, 20)], await store.Loads.SinceAsync(TestStore.Named("one"), 100, Token));
        Assert.Equal([new(TestStore.Named("one"), 101, 5, 0, 20)], await store.Loads.SinceAsync(TestStore.Named("one"), 101, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Many_portals_are_added_many_to_a_statement(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var loads = store.Loads;
        PortalId[] portals = [.. Enumerable.Range(0, 1001).Select(static i => TestStore.Named($"portal {i}"))];

        for (var i = 0; i < 2; i++)
            await loads.AddAsync([.. portals.Select(static id => new WorkerHour(id, 100, 2, 1, 7))], Token);

        foreach (var id in new[] { portals[0], portals[499], portals[1000] })
            Assert.Equal([new(id, 100, 4, 2, 7)], await loads.SinceAsync(id, 0, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Old_hours_are_forgotten(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var loads = store.Loads;
        await loads.AddAsync([new(TestStore.Named("one"), 100, 1, 0, 1), new(TestStore.Named("one"), 101, 2, 0, 1)], Token);
        await loads.AddAsync([], Token);

        await loads.ForgetAsync(101, Token);

        Assert.Equal(101, Assert.Single(await loads.SinceAsync(TestStore.Named("one"), 0, Token)).Hour);
    }
}
