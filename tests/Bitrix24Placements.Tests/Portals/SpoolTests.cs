using System.Text;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bitrix24Placements.Tests.Portals;

public sealed class SpoolTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_put_is_carried_over_once_in_its_order()
    {
        await using var store = await OpenAsync();
        var handler = new Handler();
        for (var i = 0; i < 5; i++)
            Assert.True(await store.Get<Spool>().PutAsync(handler.Kind, "portal", "line\n" + i, "10.0.0.1", Token));

        await CarryOverAsync(store, handler);
        await CarryOverAsync(store, handler);

        Assert.Equal(Enumerable.Range(0, 5).Select(static i => ("portal", "line\n" + i)), handler.Carried);
        Assert.Empty(Files(store));
        Assert.Equal(0, store.Get<Spool>().Count);
    }

    [Fact]
    public async Task An_entry_waits_until_its_handler_is_done_and_keeps_back_later_ones_of_its_key_alone()
    {
        await using var store = await OpenAsync();
        var handler = new Handler { Refuses = static key => key == "a" };
        foreach (var key in (string[])["a", "b", "a"])
            Assert.True(await store.Get<Spool>().PutAsync(handler.Kind, key, "payload", null, Token));

        await CarryOverAsync(store, handler);
        Assert.Equal([("b", "payload")], handler.Carried);
        Assert.Equal(1, handler.Refused);

        handler.Refuses = static _ => false;
        await CarryOverAsync(store, handler);
        Assert.Equal(3, handler.Carried.Count);
    }

    [Fact]
    public async Task Nor_does_what_somebody_else_has_sent_in_the_name_of_the_same_portal()
    {
        await using var store = await OpenAsync();
        var handler = new Handler { RefusesPayload = static payload => payload == "made up" };
        foreach (var (payload, address) in new[] { ("made up", "192.0.2.66"), ("genuine", "192.0.2.1") })
            Assert.True(await store.Get<Spool>().PutAsync(handler.Kind, "portal", payload, address, Token));

        await CarryOverAsync(store, handler);

        Assert.Equal([("portal", "genuine")], handler.Carried);
    }

    [Fact]
    public async Task However_many_a_silent_portal_has_others_wait_for_one_of_them()
    {
        await using var store = await OpenAsync();
        var handler = new Handler { WaitsFor = _ => store.AdvanceAsync(TimeSpan.FromSeconds(3)) };
        for (var i = 0; i < 4; i++)
            Assert.True(await store.Get<Spool>().PutAsync(handler.Kind, "silent", $"{i}", "192.0.2.66", Token));

        await CarryOverAsync(store, handler);

        Assert.Equal(2, handler.Carried.Count);
    }

    [Fact]
    public async Task One_that_cannot_be_read_keeps_back_no_other()
    {
        await using var store = await OpenAsync();
        var handler = new Handler();
        Assert.True(await store.Get<Spool>().PutAsync(handler.Kind, "portal", "first", null, Token));
        var entry = Files(store).Single().FullName;
        // Of the same portal, and before it.
        await using (var foreign = File.Create(entry.Replace(Path.GetFileName(entry), "0" + Path.GetFileName(entry), StringComparison.Ordinal)))
            foreign.SetLength(3_000_000_000);

        await CarryOverAsync(store, handler);

        Assert.Equal([("portal", "first")], handler.Carried);
        Assert.Equal(3_000_000_000, Files(store).Single().Length);
    }

    [Fact]
    public async Task What_strangers_send_leaves_room_for_refreshed_tokens()
    {
        await using var store = await OpenAsync();
        var spool = store.Get<Spool>();
        var large = new string('x', 100_000);
        var (kept, i) = (0, 0);
        for (; i < 1_000 && kept < 1_000; i++)
            kept += await spool.PutAsync("events", "key" + i, large, "10.0.0." + (i % 40), Token) ? 1 : 0;

        Assert.InRange(kept, 100, 300);
        await using var place = await spool.TakePlaceAsync("tokens", "portal", 2_000, Token);
        Assert.NotNull(place);
    }

    [Fact]
    public async Task Entries_whose_portal_does_not_answer_keep_back_no_others()
    {
        await using var store = await OpenAsync();
        var answers = new TaskCompletionSource();
        var handler = new Handler { WaitsFor = key => key == "z" ? Task.CompletedTask : answers.Task };
        foreach (var key in (string[])["a", "b", "c", "z"])
            Assert.True(await store.Get<Spool>().PutAsync(handler.Kind, key, "payload", null, Token));

        var carrying = CarryOverAsync(store, handler);
        while (handler.Carried.Count == 0)
            await Task.Delay(5, Token);
        Assert.Equal([("z", "payload")], handler.Carried);

        answers.SetResult();
        await carrying;
        Assert.Equal(4, handler.Carried.Count);
    }

    [Fact]
    public async Task A_reserved_place_is_written_without_growing_and_removed_when_the_database_has_it()
    {
        await using var store = await OpenAsync();
        var payload = new string('t', 2_000);
        var place = await store.Get<Spool>().TakePlaceAsync("tokens", "portal", Encoding.UTF8.GetByteCount(payload), Token);
        Assert.NotNull(place);
        var size = Files(store).Single().Length;
        await place.WriteAsync(payload);
        Assert.Equal(size, Files(store).Single().Length);

        // Held by this process: nobody carries it over meanwhile.
        var handler = new Handler { Kind = "tokens" };
        await CarryOverAsync(store, handler);
        Assert.Empty(handler.Carried);

        await place.DisposeAsync();
        Assert.Empty(Files(store));
    }

    [Fact]
    public async Task What_was_written_before_a_kill_is_carried_over_and_an_unused_place_goes()
    {
        await using var store = await OpenAsync();
        var written = await store.Get<Spool>().TakePlaceAsync("tokens", "portal", 100, Token);
        var unused = await store.Get<Spool>().TakePlaceAsync("tokens", "other", 100, Token);
        Assert.NotNull(written);
        Assert.NotNull(unused);
        await written.WriteAsync("the only valid tokens");
        // As a kill does: the handles go, the files stay.
        written.Leave();
        unused.Leave();
        await written.DisposeAsync();
        await unused.DisposeAsync();

        var handler = new Handler { Kind = "tokens" };
        await CarryOverAsync(store, handler);
        Assert.Equal([("portal", "the only valid tokens")], handler.Carried);
        Assert.Empty(Files(store));
    }

    [Fact]
    public async Task Entries_are_encrypted_and_readable_to_the_service_alone()
    {
        await using var store = await OpenAsync();
        Assert.True(await store.Get<Spool>().PutAsync("events", "portal-of-somebody", "a-secret-payload", "192.0.2.1", Token));

        var file = Files(store).Single();
        Assert.DoesNotContain("192.0.2.1", file.Name, StringComparison.Ordinal);
        var text = await File.ReadAllTextAsync(file.FullName, Token);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("portal", text, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode);
    }

    [Fact]
    public async Task One_portal_and_one_address_take_no_more_than_their_share()
    {
        await using var store = await OpenAsync();
        var spool = store.Get<Spool>();
        var puts = 0;
        while (await spool.PutAsync("events", "flooding", "x", null, Token))
            puts++;
        Assert.Equal(200, puts);
        Assert.True(await spool.PutAsync("events", "another", "x", null, Token));

        for (var i = 0; i < 1_000; i++)
            Assert.True(await spool.PutAsync("events", "key" + i, "x", "10.0.0.1", Token));
        Assert.False(await spool.PutAsync("events", "one more", "x", "10.0.0.1", Token));
        Assert.True(await spool.PutAsync("events", "one more", "x", "10.0.0.2", Token));
    }

    [Theory, InlineData(500), InlineData(80_000)]
    public async Task Strangers_those_who_are_known_and_refreshed_tokens_have_rooms_of_their_own(int length)
    {
        await using var store = await OpenAsync();
        var shares = new SpoolShares();
        bool Adds(string key, string? address) => shares.TryAdd(SpoolFile.New("events", key, address, store.Time.GetUtcNow()), length, SpoolShares.MaxOfKey);
        for (var i = 0; i < 6_000; i++)
            Adds("stranger" + i, "10.0.0." + (i % 20));
        Assert.False(Adds("stranger", "10.0.1.1"));
        Assert.True(Adds("portal", SpoolFile.Known));

        for (var i = 0; i < 6_000; i++)
            Adds("portal" + (i % 40), SpoolFile.Known);
        Assert.False(Adds("another", SpoolFile.Known));
        Assert.True(Adds("portal", address: null));
    }

    [Fact]
    public async Task What_nobody_answers_for_takes_few_files_of_a_portal_and_nothing_of_the_others_rooms()
    {
        await using var store = await OpenAsync();
        var shares = new SpoolShares();
        bool Adds(string key, string? address) => shares.TryAdd(SpoolFile.New("events", key, address, store.Time.GetUtcNow()), 1_000, SpoolShares.MaxOfKey);

        Assert.Equal(10, Enumerable.Range(0, 20).Count(_ => Adds("portal", SpoolFile.Unanswered)));
        Assert.InRange(Enumerable.Range(0, 2_000).Count(i => Adds("portal" + i, SpoolFile.Unanswered)), 100, 500);
        Assert.True(Adds("portal", SpoolFile.Known) && Adds("portal", "10.0.0.1") && Adds("portal", address: null));
    }

    [Fact]
    public async Task Of_a_portals_share_neither_a_stranger_nor_another_portal_takes_anything()
    {
        await using var store = await OpenAsync();
        var shares = new SpoolShares();
        bool Adds(string key, string? address, int bytes) => shares.TryAdd(SpoolFile.New("events", key, address, store.Time.GetUtcNow()), bytes, SpoolShares.MaxOfKey);
        var (strangers, small, large) = (0, 0, 0);
        for (var i = 0; i < 300; i++)
            strangers += Adds("portal", "10.0.0.1", 1) ? 1 : 0;
        for (var i = 0; i < 300; i++)
            small += Adds("portal", SpoolFile.Known, 1) ? 1 : 0;
        for (var i = 0; i < 300; i++)
            large += Adds("large", SpoolFile.Known, 80_000) ? 1 : 0;

        Assert.Equal((200, 200), (strangers, small));
        Assert.InRange(large, 20, 60);
        Assert.True(Adds("another", SpoolFile.Known, 80_000));
    }

    [Fact]
    public async Task There_is_no_place_where_the_disk_takes_nothing()
    {
        await using var store = await OpenAsync();
        await File.WriteAllTextAsync(store.Storage.SpoolFolder, "a file where the folder would be", Token);
        Assert.Null(await store.Get<Spool>().TakePlaceAsync("tokens", "portal", 100, Token));
        Assert.False(await store.Get<Spool>().PutAsync("events", "portal", "x", null, Token));
        Assert.Equal(0, store.Get<Spool>().Count);
    }

    private Task<TestStore> OpenAsync() => TestStore.OpenAsync(StorageProvider.Sqlite, postgres);

    private static FileInfo[] Files(TestStore store) => new DirectoryInfo(store.Storage.SpoolFolder).GetFiles();

    private static async Task CarryOverAsync(TestStore store, Handler handler)
    {
        using var carrier = ActivatorUtilities.CreateInstance<SpoolCarrier>(
            store.Services, (IEnumerable<ISpoolHandler>)[handler], new Readiness(store.Database, store.Get<TokenKeys>(), store.Get<DatabaseClock>(), [], null!, store.Time, NullLoggerFactory.Instance));
        await carrier.CarryOverAllAsync(Token);
    }

    private sealed class Handler : ISpoolHandler
    {
        public List<(string Key, string Payload)> Carried { get; } = [];

        public Func<string, bool> Refuses { get; set; } = static _ => false;

        public Func<string, bool> RefusesPayload { get; init; } = static _ => false;

        public int Refused { get; private set; }

        public string Kind { get; init; } = "events";

        public Func<string, Task> WaitsFor { get; init; } = static _ => Task.CompletedTask;

        public async Task<bool> CarryOverAsync(string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken)
        {
            await WaitsFor(key);
            lock (Carried)
            {
                if (Refuses(key) || RefusesPayload(payload))
                    Refused++;
                else
                    Carried.Add((key, payload));
            }

            return !Refuses(key) && !RefusesPayload(payload);
        }
    }
}
