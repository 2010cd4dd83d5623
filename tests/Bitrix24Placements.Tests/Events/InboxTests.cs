using Bitrix24Placements.Events;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Portals;
using Bitrix24Placements.Work;
using Microsoft.Extensions.DependencyInjection;

namespace Bitrix24Placements.Tests.Events;

public sealed class InboxTests(ThrowawayPostgres postgres)
{
    private const string Name = "ONCRMDEALADD";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Events_of_a_portal_are_handled_once_each_in_their_order(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        for (var i = 0; i < 5; i++)
            Assert.True(await store.Inbox.AddAsync(new(id, "event-" + i, Name, Payload("payload-" + i)), Token));
        Assert.True(await store.Inbox.AddAsync(new(id, "event-2", Name, Payload("a repeat")), Token));
        var handler = new Handler(store);

        Assert.Equal(WorkResult.Done, await RunAsync(store));
        // A repeat of what is done already.
        Assert.True(await store.Inbox.AddAsync(new(id, "event-4", Name, Payload("a repeat")), Token));
        await RunAsync(store);

        Assert.Equal(["payload-0", "payload-1", "payload-2", "payload-3", "payload-4"], handler.Handled);
        Assert.Equal(new(0, 0), await store.Inbox.CountAsync(Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Two_events_of_one_portal_are_never_handled_at_once_and_two_portals_are(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var (flooding, other) = (TestStore.NewId(), TestStore.NewId());
        for (var i = 0; i < 30; i++)
            Assert.True(await store.Inbox.AddAsync(new(flooding, "event-" + i, Name, ""), Token));
        Assert.True(await store.Inbox.AddAsync(new(other, "event", Name, ""), Token));

        var claimed = (await store.ClaimAsync(1)).Concat(await another.ClaimAsync(10)).ToList();

        Assert.Equal(2, claimed.Count);
        Assert.Equal(2, claimed.Select(static c => c.Id).Distinct().Count());
        Assert.Equal(other, claimed.Single(c => c.Id == other).Id);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_event_whose_process_died_in_its_handler_is_handled_by_another_before_the_later_ones(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        await using var another = await store.OpenAnotherAsync();
        var id = TestStore.NewId();
        foreach (var payload in (string[])["first", "second"])
            Assert.True(await store.Inbox.AddAsync(new(id, payload, Name, Payload(payload)), Token));
        Assert.Single(await another.ClaimAsync(10));
        Assert.Equal(Payload("first"), (await another.Inbox.NextAsync(id, Token))?.Payload);

        // Nothing more is heard of it.
        Assert.Empty(await store.ClaimAsync(10));
        await store.AdvanceAsync(TimeSpan.FromMinutes(2));
        var handler = new Handler(store);
        await RunAsync(store);

        Assert.Equal(["first", "second"], handler.Handled);
        Assert.Equal(new(0, 0), await store.Inbox.CountAsync(Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_failing_handler_is_called_again_after_growing_pauses_and_given_up_after_a_day(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        Assert.True(await store.Inbox.AddAsync(new(id, "poison", Name, Payload("poison")), Token));
        var handler = new Handler(store) { Fails = "poison" };

        Assert.Equal(TimeSpan.FromSeconds(1), (await RunAsync(store)).Pause);
        // Another event does not bring the next attempt nearer.
        Assert.True(await store.Inbox.AddAsync(new(id, "next", Name, Payload("next")), Token));
        Assert.NotEqual(TimeSpan.Zero, (await RunAsync(store)).Pause);
        Assert.Equal(1, handler.Calls);
        await store.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(10), (await RunAsync(store)).Pause);
        Assert.Equal(2, handler.Calls);
        Assert.Empty(handler.Handled);

        await store.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Equal(WorkResult.Done, await RunAsync(store));

        Assert.Equal(["next"], handler.Handled);
        Assert.Equal(new(0, 1), await store.Inbox.CountAsync(Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_event_that_has_waited_for_days_has_a_day_of_its_own(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        Assert.True(await store.Inbox.AddAsync(new(id, "late", Name, Payload("late")), Token));
        var handler = new Handler(store) { Fails = "late" };

        await store.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal(TimeSpan.FromSeconds(1), (await RunAsync(store)).Pause);
        await store.AdvanceAsync(TimeSpan.FromHours(23));
        Assert.Equal(TimeSpan.FromSeconds(10), (await RunAsync(store)).Pause);
        Assert.Equal(new(1, 0), await store.Inbox.CountAsync(Token));

        await store.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal(WorkResult.Done, await RunAsync(store));
        Assert.Equal(3, handler.Calls);
        Assert.Equal(new(0, 1), await store.Inbox.CountAsync(Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_event_whose_key_is_away_keeps_nobody_back_and_is_handled_when_it_is_there_again(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        Assert.True(await store.Inbox.AddAsync(new(id, "first", Name, Payload("first")), Token));
        await store.Database.ExecuteAsync("UPDATE inbox SET payload = 'x' || payload", Token);
        Assert.True(await store.Inbox.AddAsync(new(id, "second", Name, Payload("second")), Token));
        var handler = new Handler(store);

        Assert.Equal(WorkResult.Done, await RunAsync(store));
        await store.Inbox.TakeUpAsync(Token);
        Assert.Equal((1, 0), (handler.Calls, (await store.Inbox.CountAsync(Token)).Waiting));

        await store.Database.ExecuteAsync("UPDATE inbox SET payload = SUBSTR(payload, 2) WHERE payload LIKE 'x%'", Token);
        await store.Inbox.TakeUpAsync(Token);
        Assert.Equal(WorkResult.Done, await RunAsync(store));
        Assert.Equal(2, handler.Calls);
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_flooding_portal_fills_its_own_share(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        await store.Inbox.AddAsync(new(id, "first", Name, ""), Token);
        await store.Database.ExecuteAsync(
            $"""
            INSERT INTO inbox (member_id, app, id, name, payload, received_at, due_at, state, attempt)
            WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {InboxStore.MaxWaitingOfPortal})
            SELECT {id.MemberId}, 'default', 'event-' || n, {Name}, NULL, n, 0, 0, 0 FROM numbers
            """, Token);

        Assert.False(await store.Inbox.AddAsync(new(id, "one more", Name, ""), Token));
        Assert.True(await store.Inbox.AddAsync(new(id, "uninstalled-1", StoredEvent.Uninstalled, ""), Token));
        Assert.True(await store.Inbox.AddAsync(new(TestStore.NewId(), "one", Name, ""), Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task Of_what_a_flooding_portal_has_had_handled_the_newest_stay_and_all_goes_in_pages(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        PortalId id = TestStore.NewId(), other = TestStore.NewId();
        foreach (var (portal, count) in new[] { (id, InboxStore.MaxHandledOfPortal + 500), (other, 500) })
            await store.Database.ExecuteAsync(
                $"""
                INSERT INTO inbox (member_id, app, id, name, payload, received_at, due_at, state, attempt)
                WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
                SELECT {portal.MemberId}, 'default', 'event-' || n, {Name}, NULL, n, 0, 2, 1 FROM numbers
                """, Token);

        await store.Inbox.ForgetHandledAsync(id, Token);
        await store.Inbox.ForgetHandledAsync(other, Token);
        Assert.Equal((InboxStore.MaxHandledOfPortal, 501), await KeptAsync(id));
        Assert.Equal((500, 1), await KeptAsync(other));

        await store.Inbox.ForgetOldAsync(Token);
        Assert.Equal(0, await store.Database.RunAsync(static c => c.NumberAsync("SELECT COUNT(*) FROM inbox"), Token));

        async Task<(long Count, long First)> KeptAsync(PortalId portal) => (await store.Database.QueryAsync(
            $"SELECT COUNT(*), MIN(received_at) FROM inbox WHERE member_id = {portal.MemberId}",
            static r => ((long, long)?)(r.GetInt64(0), r.GetInt64(1)), Token))[0]!.Value;
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task A_portal_with_large_events_fills_its_own_share(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = TestStore.NewId();
        var large = new string('x', InboxStore.MaxBytesOfPortal / 4);
        for (var i = 0; i < 3; i++)
            Assert.True(await store.Inbox.AddAsync(new(id, "event-" + i, Name, large), Token));

        Assert.False(await store.Inbox.AddAsync(new(id, "one more", Name, ""), Token));
        Assert.True(await store.Inbox.AddAsync(new(id, "uninstalled-1", StoredEvent.Uninstalled, ""), Token));
        Assert.True(await store.Inbox.AddAsync(new(TestStore.NewId(), "one", Name, ""), Token));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task What_an_event_holds_is_encrypted_and_gone_once_it_was_handled(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var id = new PortalId(TestStore.NewId().MemberId, "other");
        await store.Inbox.AddAsync(new(id, "event", Name, Payload("a-secret")), Token);
        Assert.DoesNotContain("secret", (await PayloadsAsync(store)).Single(), StringComparison.Ordinal);

        var handler = new Handler(store);
        await RunAsync(store);
        Assert.Equal(["a-secret"], handler.Handled);

        Assert.Equal("none", (await PayloadsAsync(store)).Single());
        await store.AdvanceAsync(TimeSpan.FromDays(3));
        await store.Inbox.ForgetOldAsync(Token);
        Assert.Empty(await PayloadsAsync(store));
    }

    [Theory, MemberData(nameof(TestStore.BothDatabases), MemberType = typeof(TestStore))]
    public async Task An_installation_is_told_once_however_late_an_update_asks_for_it_again(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres);
        var told = new InboxEvent(TestStore.NewId(), "installed-1", StoredEvent.Installed, "");
        Assert.True(await store.Inbox.AddAsync(told, Token));
        await store.Inbox.CompleteAsync(told, Token);
        await store.AdvanceAsync(TimeSpan.FromDays(90));
        await store.Inbox.ForgetOldAsync(Token);
        await store.Inbox.ForgetHandledAsync(told.Id, Token);

        Assert.True(await store.Inbox.AddAsync(told, Token));

        Assert.Null(await store.Inbox.NextAsync(told.Id, Token));
    }

    private static string Payload(string id) => new StoredEvent(id, Name, "portal.example.com", "https", null, 0).Serialize();

    private static Task<List<string>> PayloadsAsync(TestStore store) =>
        store.Database.QueryAsync("SELECT payload FROM inbox", static r => r.IsDBNull(0) ? "none" : r.GetString(0), Token);

    /// <summary>Runs a portal's work as the loop does.</summary>
    private static async Task<WorkResult> RunAsync(TestStore store)
    {
        await store.AdvanceAsync(TimeSpan.FromMilliseconds(1));
        var item = Assert.Single(await store.ClaimAsync(10));
        var result = await Assert.Single(store.Services.GetServices<IWork>()).RunAsync(item, Token);
        if (result.Pause is { } pause)
            await store.Work.PostponeAsync(item, TimeSpan.Zero, null, Token);
        else
            await store.Work.CompleteAsync(item, Token);
        return result;
    }

    private sealed class Handler
    {
        public Handler(TestStore store) => store.Get<EventHandlers>().Add(Name, (_, request, _) => HandleAsync((EventRequest)request));

        public List<string> Handled { get; } = [];

        public string? Fails { get; init; }

        public int Calls { get; private set; }

        private Task HandleAsync(EventRequest request)
        {
            Calls++;
            if (request.Id == Fails)
                throw new InvalidOperationException("A handler's own fault.");
            Handled.Add(request.Id);
            return Task.CompletedTask;
        }
    }
}
