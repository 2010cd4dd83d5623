using Bitrix24Placements.Portals;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Tests.Portals;

public sealed class WorkStoreTests(ThrowawayPostgres postgres)
{
    private static readonly PortalId Portal = new("00000000000000000000000000000001");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task RequestAsync(TestStore store, TimeSpan due = default, string? payload = null, TimeSpan pauseIfThere = default, bool reset = false) =>
        store.Work.RequestAsync(new(Portal, WorkKind.Reconcile) { Delay = due, PauseIfThere = pauseIfThere, Payload = payload, KeepsAttempts = !reset }, Token);

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Work_is_claimed_when_it_is_due_and_not_before(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store, TimeSpan.FromSeconds(30), "why");

        Assert.Empty(await store.ClaimAsync(10));
        await store.AdvanceAsync(TimeSpan.FromSeconds(30));

        var item = Assert.Single(await store.ClaimAsync(10));
        Assert.Equal((Portal, WorkKind.Reconcile, 0, "why"), (item.Id, item.Kind, item.Attempt, item.Payload));
        Assert.Empty(await store.ClaimAsync(10));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_was_asked_for_comes_before_what_nobody_asked_for(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        for (var i = 0; i < 3; i++)
            await store.Work.RequestIfNoneAsync(TestStore.Named($"portal {i}"), WorkKind.Reconcile, -TimeSpan.FromHours(1), Token);
        await RequestAsync(store);
        await store.Work.RequestAsync(new(TestStore.Named("portal 2"), WorkKind.Reconcile) { KeepsAttempts = true }, Token);

        var asked = await store.Work.ClaimAsync(WorkPriority.Asked, 10, Token);
        var unasked = await store.Work.ClaimAsync(WorkPriority.Unasked, 10, Token);

        Assert.Equal(new HashSet<PortalId> { Portal, TestStore.Named("portal 2") }, [.. asked.Select(static item => item.Id)]);
        Assert.Equal(new HashSet<PortalId> { TestStore.Named("portal 0"), TestStore.Named("portal 1") }, [.. unasked.Select(static item => item.Id)]);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_gives_way_does_not_put_off_what_was_asked_for_while_the_work_was_running(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store);
        var running = Assert.Single(await store.ClaimAsync(10));
        await RequestAsync(store, payload: "installed");
        await store.Work.RequestAsync(
            new(Portal, WorkKind.Reconcile) { Delay = TimeSpan.FromHours(4), Payload = "removed", GivesWayTo = "installed", KeepsAttempts = true }, Token);

        await store.Work.CompleteAsync(running, Token);

        Assert.Equal("installed", Assert.Single(await store.ClaimAsync(10)).Payload);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_has_failed_is_tried_again_at_its_time_though_somebody_has_asked_for_a_later_one(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store);
        var running = Assert.Single(await store.ClaimAsync(10));
        await RequestAsync(store, due: TimeSpan.FromHours(4));

        await store.Work.PostponeAsync(running, TimeSpan.FromMinutes(1), null, Token);

        await store.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Single(await store.ClaimAsync(10));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_was_tried_in_vain_comes_after_what_was_not_yet_tried_until_it_is_asked_for_again(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store);
        var item = Assert.Single(await store.Work.ClaimAsync(WorkPriority.Asked, 1, Token));
        await store.Work.PostponeAsync(item, TimeSpan.Zero, null, Token);

        Assert.Empty(await store.Work.ClaimAsync(WorkPriority.Asked, 1, Token));
        item = Assert.Single(await store.Work.ClaimAsync(WorkPriority.Again, 1, Token));
        await store.Work.PostponeAsync(item, TimeSpan.Zero, null, Token);
        await RequestAsync(store);

        Assert.Single(await store.Work.ClaimAsync(WorkPriority.Asked, 1, Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Two_instances_never_claim_the_same_work(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        for (var i = 0; i < 40; i++)
            await store.Work.RequestIfNoneAsync(TestStore.Named($"portal {i}"), WorkKind.Reconcile, -TimeSpan.FromMinutes(1), Token);

        var claimed = (await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? store : another).ClaimAsync(4)))).SelectMany(static items => items).ToList();

        Assert.Equal(claimed.Count, claimed.Select(static item => item.Id).Distinct().Count());
        while (await store.ClaimAsync(4) is { Count: > 0 } rest)
            claimed.AddRange(rest);
        Assert.Equal(40, claimed.Select(static item => item.Id).Distinct().Count());
        Assert.Equal(40, claimed.Count);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task The_work_of_a_dead_instance_is_taken_over_when_its_lease_has_run_out(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        await RequestAsync(store);
        Assert.Single(await store.ClaimAsync(1));

        Assert.Empty(await another.ClaimAsync(1));
        await another.AdvanceAsync(WorkStore.Lease + TimeSpan.FromSeconds(1));
        Assert.Single(await another.ClaimAsync(1));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_renewed_lease_holds_on(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store);
        var item = Assert.Single(await store.ClaimAsync(1));
        await store.AdvanceAsync(WorkStore.Lease - TimeSpan.FromSeconds(1));

        await store.Work.RenewAsync(item, Token);

        await store.AdvanceAsync(WorkStore.Lease - TimeSpan.FromSeconds(1));
        Assert.Empty(await store.ClaimAsync(1));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Done_work_is_gone_and_work_that_was_asked_for_meanwhile_is_done_once_more(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store);
        var first = Assert.Single(await store.ClaimAsync(1));
        await RequestAsync(store);

        await store.Work.CompleteAsync(first, Token);

        var second = Assert.Single(await store.ClaimAsync(1));
        await store.Work.CompleteAsync(second, Token);
        Assert.False(await store.Database.HasWorkAsync(Portal, WorkKind.Reconcile));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_hundred_requests_are_one_piece_of_work(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => RequestAsync(store, pauseIfThere: TimeSpan.FromSeconds(5))));

        var item = Assert.Single(await store.ClaimAsync(200));
        await store.Work.CompleteAsync(item, Token);

        Assert.False(await store.Database.HasWorkAsync(Portal, WorkKind.Reconcile));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Requests_for_running_work_keep_their_pause(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store);
        var item = Assert.Single(await store.ClaimAsync(1));
        await RequestAsync(store, pauseIfThere: TimeSpan.FromSeconds(5));
        await store.Work.CompleteAsync(item, Token);

        Assert.Empty(await store.ClaimAsync(1));
        await store.AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.Single(await store.ClaimAsync(1));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Postponed_work_counts_its_attempts_and_goes_on_with_what_it_has_learnt(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store, payload: "at first");
        var item = Assert.Single(await store.ClaimAsync(1));
        await store.Work.PostponeAsync(item, TimeSpan.FromMinutes(1), "learnt", Token);

        Assert.Empty(await store.ClaimAsync(1));
        await store.AdvanceAsync(TimeSpan.FromMinutes(1));
        var again = Assert.Single(await store.ClaimAsync(1));
        Assert.Equal((1, "learnt"), (again.Attempt, again.Payload));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_request_ends_the_pause_that_failures_have_earned(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store);
        var item = Assert.Single(await store.ClaimAsync(1));
        await store.Work.PostponeAsync(item, TimeSpan.FromDays(1), null, Token);

        await RequestAsync(store, reset: true);

        var again = Assert.Single(await store.ClaimAsync(1));
        Assert.Equal(0, again.Attempt);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task One_piece_of_work_can_be_claimed_before_it_is_due(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await RequestAsync(store, TimeSpan.FromHours(1));

        Assert.False(await store.Work.IsDueOrRunningAsync(Portal, WorkKind.Reconcile, Token));
        Assert.NotNull(await store.Work.ClaimAsync(Portal, WorkKind.Reconcile, Token));
        Assert.True(await store.Work.IsDueOrRunningAsync(Portal, WorkKind.Reconcile, Token));
        Assert.Null(await store.Work.ClaimAsync(Portal, WorkKind.Reconcile, Token));
        Assert.Null(await store.Work.ClaimAsync(Portal, WorkKind.Uninstall, Token));
    }
}
