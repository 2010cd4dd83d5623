using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Tests.Portals;

public sealed class KeptInstallationsTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_portal_keeps_its_newest_three(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        for (var i = 0; i < 5; i++)
        {
            Assert.True(await KeepAsync(store, id, i, ""));
        }

        // One that is kept already stays kept.
        Assert.True(await KeepAsync(store, id, 4, ""));
        Assert.Equal([WorkKind.Install + 2, WorkKind.Install + 3, WorkKind.Install + 4], (await store.ClaimAsync(10)).Select(static w => w.Kind).Order());
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_address_has_a_share_and_no_more(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        for (var i = 0; i < KeptInstallations.MaxOfAddress; i++)
            Assert.True(await KeepAsync(store, TestStore.NewId(), i, "192.0.2.1"));

        Assert.False(await KeepAsync(store, TestStore.NewId(), 101, "192.0.2.1"));
        Assert.True(await KeepAsync(store, TestStore.NewId(), 102, "192.0.2.2"));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Who_is_vouched_for_takes_nothing_of_his_addresses_share(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        for (var i = 0; i < KeptInstallations.MaxOfAddress; i++)
        {
            var id = TestStore.NewId();
            await KeepAsync(store, id, i, "192.0.2.1");
            var item = await store.Work.ClaimAsync(id, WorkKind.Install + i, Token);
            await store.Get<KeptInstallations>().NoteAsync(item!, "local.1.2", isVouchedFor: true, Token);
        }

        Assert.True(await KeepAsync(store, TestStore.NewId(), 101, "192.0.2.1"));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Who_has_sent_much_keeps_nobody_out_who_has_sent_little(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var genuine = TestStore.NewId();
        for (var i = 0; i < KeptInstallations.Max; i++)
            await KeepAsync(store, TestStore.NewId(), i, i % 2 == 0 ? "192.0.2.1" : "192.0.2.2");
        Assert.True(await KeepAsync(store, genuine, 101, "192.0.2.3"));

        // Nor by telling of his portal.
        for (var i = 102; i < 110; i++)
            await KeepAsync(store, genuine, i, "192.0.2.1");
        Assert.True(await store.Database.HasWorkAsync(genuine, WorkKind.Install + 101));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Whoever_tells_of_a_portal_from_other_addresses_before_it_or_after_it_takes_none_of_its_room(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var genuine = TestStore.NewId();
        for (var i = 0; i < 80; i++)
            Assert.True(await KeepAsync(store, genuine, i, "192.0.2." + (i % 20)));
        Assert.True(await KeepAsync(store, genuine, 100, "198.51.100.1"));
        for (var i = 101; i < 200; i++)
            await KeepAsync(store, genuine, i, "192.0.2." + (i % 20));

        Assert.True(await store.Database.HasWorkAsync(genuine, WorkKind.Install + 100));
        Assert.Equal((20 * 3) + 1, (await store.Get<KeptInstallations>().ListAsync(Token)).Count);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Of_those_who_are_vouched_for_a_portal_has_three_from_however_many_addresses(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        for (var i = 0; i < 6; i++)
        {
            await KeepAsync(store, id, i, "192.0.2." + i);
            var item = await store.Work.ClaimAsync(id, WorkKind.Install + i, Token);
            await store.Get<KeptInstallations>().NoteAsync(item!, "local.1.2", isVouchedFor: true, Token);
        }

        await KeepAsync(store, TestStore.NewId(), 7, "192.0.2.7");
        Assert.Equal(3, (await store.Get<KeptInstallations>().ListAsync(Token)).Count(k => k.MemberId == id.MemberId));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Where_it_is_full_those_give_way_that_nobody_has_vouched_for(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var genuine = TestStore.NewId();
        for (var i = 0; i < KeptInstallations.Max; i++)
            Assert.True(await KeepAsync(store, i == 99 ? genuine : TestStore.NewId(), i, ""));
        Assert.False(await KeepAsync(store, TestStore.NewId(), 101, ""));

        var item = await store.Work.ClaimAsync(genuine, WorkKind.Install + 99, Token);
        Assert.NotNull(item);
        await store.Get<KeptInstallations>().NoteAsync(item, "local.1.2", isVouchedFor: true, Token);

        var kept = await store.Get<KeptInstallations>().ListAsync(Token);
        Assert.Equal(KeptInstallations.Max, kept.Count);
        Assert.Equal("local.1.2", kept.Single(k => k.MemberId == genuine.MemberId).ClientId);
        Assert.All(kept, k => Assert.Equal(store.Time.GetUtcNow(), k.KeptAt, TimeSpan.FromMinutes(5)));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task However_many_are_vouched_for_there_is_room_for_those_who_cannot_be_yet(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        for (var i = 0; i < KeptInstallations.Max; i++)
        {
            var id = TestStore.NewId();
            await KeepAsync(store, id, i, "");
            if (await store.Work.ClaimAsync(id, WorkKind.Install + i, Token) is { } item)
                await store.Get<KeptInstallations>().NoteAsync(item, "local.1.2", isVouchedFor: true, Token);
        }

        Assert.True(await KeepAsync(store, TestStore.NewId(), 101, ""));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_added_app_hastens_them(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        Assert.True(await store.Get<KeptInstallations>().KeepAsync(TestStore.NewId(), WorkKind.Install + "1", TimeSpan.FromHours(1), "kept", "", Token));
        Assert.Empty(await store.ClaimAsync(1));

        await store.Get<KeptInstallations>().HastenAsync(Token);

        Assert.Single(await store.ClaimAsync(1));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task One_that_was_being_looked_at_when_the_app_came_is_tried_again_and_one_that_is_finished_is_not(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var (unlucky, finished) = (TestStore.NewId(), TestStore.NewId());
        foreach (var id in new[] { unlucky, finished })
            Assert.True(await store.Get<KeptInstallations>().KeepAsync(id, WorkKind.Install + "1", TimeSpan.Zero, "kept", "", Token));
        var running = await store.ClaimAsync(10);

        await store.Get<KeptInstallations>().HastenAsync(Token);
        await store.Work.PostponeAsync(running.Single(w => w.Id == unlucky), TimeSpan.FromMinutes(1), null, Token);
        await store.Work.CompleteAsync(running.Single(w => w.Id == finished), Token);

        Assert.Equal(unlucky, Assert.Single(await store.ClaimAsync(10)).Id);
        Assert.Single(await store.Get<KeptInstallations>().ListAsync(Token));
    }

    private static async Task<bool> KeepAsync(TestStore store, PortalId id, int number, string address)
    {
        await store.AdvanceAsync(TimeSpan.FromMilliseconds(1));
        return await store.Get<KeptInstallations>().KeepAsync(id, WorkKind.Install + number, TimeSpan.Zero, "kept", address, Token);
    }
}
