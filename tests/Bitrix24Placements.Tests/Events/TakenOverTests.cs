using Bitrix24Placements.Events;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Portals;
using Bitrix24Placements.Work;
using Microsoft.Extensions.DependencyInjection;

namespace Bitrix24Placements.Tests.Events;

/// <summary>An instance that was stopped for longer than its lease.</summary>
public sealed class TakenOverTests(ThrowawayPostgres postgres)
{
    private const string Name = "ONCRMDEALADD";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task It_leaves_the_portals_further_events_to_who_has_taken_over(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var id = TestStore.NewId();
        foreach (var payload in (string[])["first", "second", "third"])
            Assert.True(await store.Inbox.AddAsync(new(id, payload, Name, new StoredEvent(payload, Name, "portal.example.com", "https", null, 0).Serialize()), Token));
        var (handled, handledElsewhere) = (new List<string>(), new List<string>());
        WorkItem? elsewhere = null;
        store.Get<EventHandlers>().Add(Name, async (_, request, _) =>
        {
            handled.Add(((EventRequest)request).Id);
            await store.AdvanceAsync(WorkStore.Lease + TimeSpan.FromSeconds(1));
            another.Time.SetUtcNow(store.Time.GetUtcNow());
            elsewhere ??= (await another.ClaimAsync(1)).FirstOrDefault();
        });
        another.Get<EventHandlers>().Add(Name, (_, request, _) =>
        {
            handledElsewhere.Add(((EventRequest)request).Id);
            return Task.CompletedTask;
        });

        Assert.Equal(TimeSpan.Zero, (await RunAsync(store, Assert.Single(await store.ClaimAsync(1)))).Pause);
        Assert.NotNull(elsewhere);
        Assert.Equal(["first"], handled);
        Assert.Equal(WorkResult.Done, await RunAsync(another, elsewhere));

        Assert.Equal(["second", "third"], handledElsewhere);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_instance_without_the_handler_leaves_the_event_to_one_that_has_it(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        Task<bool> AddAsync(string eventId) =>
            store.Inbox.AddAsync(new(id, eventId, Name, new StoredEvent(eventId, Name, "portal.example.com", "https", null, 0).Serialize()), Token);
        await AddAsync("new");
        var handled = new List<string>();

        Assert.NotNull((await RunAsync(store, Assert.Single(await store.ClaimAsync(1)))).Pause);
        store.Get<EventHandlers>().Add(Name, (_, request, _) =>
        {
            handled.Add(((EventRequest)request).Id);
            return Task.CompletedTask;
        });
        await store.AdvanceAsync(WorkStore.Lease + TimeSpan.FromSeconds(1));
        await RunAsync(store, Assert.Single(await store.ClaimAsync(1)));

        Assert.Equal(["new"], handled);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Where_no_instance_has_the_handler_the_event_is_dropped_after_a_minute(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await store.Inbox.AddAsync(new(TestStore.NewId(), "old", Name, new StoredEvent("old", Name, "portal.example.com", "https", null, 0).Serialize()), Token);
        Assert.NotNull((await RunAsync(store, Assert.Single(await store.ClaimAsync(1)))).Pause);

        await store.AdvanceAsync(TimeSpan.FromSeconds(61));

        Assert.Equal(WorkResult.Done, await RunAsync(store, Assert.Single(await store.ClaimAsync(1))));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Its_lease_is_lost_where_another_has_it_and_not_where_the_work_is_gone(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        await store.Work.RequestAsync(new(TestStore.NewId(), "kind"), Token);
        var item = Assert.Single(await store.ClaimAsync(1));
        await store.AdvanceAsync(WorkStore.Lease + TimeSpan.FromSeconds(1));
        another.Time.SetUtcNow(store.Time.GetUtcNow());
        Assert.True(await store.Work.RenewAsync(item, Token));
        await store.AdvanceAsync(WorkStore.Lease + TimeSpan.FromSeconds(1));
        another.Time.SetUtcNow(store.Time.GetUtcNow());
        Assert.Single(await another.ClaimAsync(1));

        Assert.False(await store.Work.RenewAsync(item, Token));

        await store.Database.ExecuteAsync("DELETE FROM work", Token);
        Assert.True(await store.Work.RenewAsync(item, Token));
        Assert.False(await store.Work.IsHeldAsync(item, Token));
    }

    private static Task<WorkResult> RunAsync(TestStore store, WorkItem item) =>
        Assert.Single(store.Services.GetServices<IWork>()).RunAsync(item, Token);
}
