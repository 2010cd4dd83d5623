using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Portals;

public sealed class LockedWorkTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>SQLite has one instance, and no rows that are locked.</summary>
    [Fact]
    public async Task A_row_that_a_stopped_instance_has_locked_keeps_nobody_elses_work_waiting()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.PostgreSql, postgres);
        await using var stopped = await store.OpenAnotherAsync();
        var (locked, other) = (TestStore.Named("locked"), TestStore.Named("other"));
        await store.Work.RequestAsync(new(locked, WorkKind.Events), Token);
        var (inside, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var transaction = stopped.Database.ChangeAsync(async connection =>
        {
            var filed = await new WorkRequest(locked, WorkKind.Events).FileAsync(connection, stopped.Database.Now);
            inside.SetResult();
            await goOn.Task;
            return filed;
        }, Token);
        await inside.Task;
        await store.Work.RequestAsync(new(other, WorkKind.Events), Token);

        var claimed = await store.Work.ClaimAsync(WorkPriority.Asked, 10, Token).WaitAsync(TimeSpan.FromSeconds(5), Token);

        Assert.Equal([other], claimed.Select(static item => item.Id));
        goOn.SetResult();
        await transaction;
        Assert.Equal([locked], (await store.Work.ClaimAsync(WorkPriority.Asked, 10, Token)).Select(static item => item.Id));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task No_more_is_claimed_than_there_is_room_for_and_the_oldest_first(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        for (var i = 0; i < 20; i++)
            await store.Work.RequestIfNoneAsync(TestStore.Named($"portal {i}"), WorkKind.Reconcile, -TimeSpan.FromMinutes(20 - i), Token);

        var first = await store.Work.ClaimAsync(WorkPriority.Unasked, 3, Token);
        var second = await store.Work.ClaimAsync(WorkPriority.Unasked, 3, Token);

        Assert.Equal(Names(0, 3), first.Select(static item => item.Id).ToHashSet());
        Assert.Equal(Names(3, 3), second.Select(static item => item.Id).ToHashSet());
    }

    private static HashSet<PortalId> Names(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(static i => TestStore.Named($"portal {i}"))];
}
