using System.Collections.Concurrent;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Portals;
using Bitrix24Placements.Work;
using Microsoft.Extensions.DependencyInjection;

namespace Bitrix24Placements.Tests.Installation;

public sealed class WorkLoopTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>As after an outage of the database that was longer than a lease.</summary>
    [Fact]
    public async Task What_still_runs_here_is_not_begun_again_when_its_lease_has_run_out()
    {
        var work = new HeldWork();
        await using var service = await Service.StartAsync(services: s => s.AddSingleton<IWork>(work));
        var store = service.Get<WorkStore>();
        await store.RequestAsync(new(TestStore.Named("portal"), HeldWork.Name), Token);
        await service.EventuallyAsync(() => work.Runs == 1, "the work has begun");

        await service.Get<Database>().ExecuteAsync("UPDATE work SET lease_till = 0", Token);
        await service.EventuallyAsync(async () => await LeaseAsync(service) > 0, "it is claimed again");

        Assert.Equal(1, work.Runs);
        work.End();
        await service.EventuallyAsync(async () => !await service.Get<Database>().HasWorkAsync(TestStore.Named("portal"), HeldWork.Name), "it is done");
        Assert.Equal(1, work.Runs);
    }

    [Theory, InlineData(StorageProvider.Sqlite), InlineData(StorageProvider.PostgreSql)]
    public async Task What_another_instance_has_taken_over_ends_here_and_stays_the_others(StorageProvider provider)
    {
        var work = new HeldWork();
        var folder = Directory.CreateTempSubdirectory("b24p-");
        await using var service = await Service.StartAsync(
            provider == StorageProvider.Sqlite ? null : Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(folder, "loop")),
            services: s => s.AddSingleton<IWork>(work));
        var store = service.Get<WorkStore>();
        await store.RequestAsync(new(TestStore.Named("portal"), HeldWork.Name), Token);
        await service.EventuallyAsync(() => work.Runs == 1, "the work has begun");

        await service.Get<Database>().ExecuteAsync($"UPDATE work SET lease_by = 'another', lease_till = lease_till + {TimeSpan.FromMinutes(1)}", Token);

        await service.EventuallyAsync(() => work.Ended == 1, "it was ended", seconds: 10);
        Assert.True(await store.IsRunningAsync(TestStore.Named("portal"), HeldWork.Name, Token));
        Assert.Equal(1, work.Runs);
        Assert.Single(service.Logs, static l => l.Contains("another instance goes on with it", StringComparison.Ordinal));
        folder.Delete(true);
    }

    [Fact]
    public async Task Work_that_is_asked_for_now_is_waited_for_where_it_runs_already_and_run_where_it_does_not()
    {
        var work = new HeldWork();
        await using var service = await Service.StartAsync(services: s => s.AddSingleton<IWork>(work));
        var (id, loop) = (TestStore.Named("portal"), service.Get<WorkLoop>());
        await loop.RunNowAsync(id, HeldWork.Name, work.RunAsync, Token);
        Assert.Equal(0, work.Runs);
        await service.Get<WorkStore>().RequestAsync(new(id, HeldWork.Name) { Delay = TimeSpan.FromHours(1) }, Token);

        var first = loop.RunNowAsync(id, HeldWork.Name, work.RunAsync, Token);
        await service.EventuallyAsync(() => work.Runs == 1, "the work has begun");
        var second = loop.RunNowAsync(id, HeldWork.Name, work.RunAsync, Token);
        Assert.False(second.IsCompleted);
        work.End();

        await first;
        await second;
        Assert.Equal(1, work.Runs);
    }

    [Fact]
    public async Task A_database_in_trouble_is_no_failure_of_the_work_and_does_not_put_it_off_for_long()
    {
        var work = new HeldWork { Throws = new TimeoutException("The database has not answered.") };
        await using var service = await Service.StartAsync(services: s => s.AddSingleton<IWork>(work));
        await service.Get<WorkStore>().RequestAsync(new(TestStore.Named("portal"), HeldWork.Name), Token);

        await service.EventuallyAsync(() => work.Ended >= 4, "it is tried after 2, 5 and 10 s", seconds: 30);

        Assert.DoesNotContain(service.Logs, static l => l.Contains("it is tried again", StringComparison.Ordinal));
        Assert.Contains(service.Logs, static l => l.Contains("The database cannot be asked for work", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Work_of_an_unknown_kind_is_told_once_and_put_off()
    {
        await using var service = await Service.StartAsync();
        foreach (var name in (string[])["one", "other"])
            await service.Get<WorkStore>().RequestAsync(new(TestStore.Named(name), "of-a-newer-version"), Token);

        await service.EventuallyAsync(
            async () => (await service.Get<Database>().QueryAsync("SELECT attempt FROM work", static r => r.GetInt32(0), Token)).TrueForAll(static a => a == 1), "both were put off");

        Assert.Single(service.Logs, static l => l.Contains("of-a-newer-version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_goes_on_does_not_wait_until_all_that_is_asked_for_has_begun()
    {
        var work = new OrderedWork();
        await using var service = await Service.StartAsync(services: s => s.AddSingleton<IWork>(work));
        await service.Get<Database>().ChangeAsync(async connection =>
        {
            var now = service.Get<Database>().Now;
            for (var i = 0; i < OrderedWork.Asked; i++)
                await new WorkRequest(TestStore.NewId(), OrderedWork.Name).FileAsync(connection, now);
            return await new WorkRequest(OrderedWork.GoingOn, OrderedWork.Name) { Priority = WorkPriority.Again }.FileAsync(connection, now);
        }, Token);

        await service.EventuallyAsync(() => work.Begun.Count == OrderedWork.Asked + 1, "all has begun", seconds: 30);

        Assert.InRange(work.Begun.ToList().IndexOf(OrderedWork.GoingOn), 0, OrderedWork.Asked / 2);
    }

    private static async Task<long> LeaseAsync(Service service) =>
        (await service.Get<Database>().QueryAsync($"SELECT lease_till FROM work WHERE kind = {(string?)HeldWork.Name}", static r => r.GetInt64(0), Token)).Single();

    /// <summary>Waits for its portal for a moment.</summary>
    private sealed class OrderedWork : IWork
    {
        public const string Name = "ordered";
        public const int Asked = 200;

        public static readonly PortalId GoingOn = TestStore.NewId();

        public ConcurrentQueue<PortalId> Begun { get; } = new();

        public string Kind => Name;

        public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
        {
            Begun.Enqueue(item.Id);
            await Task.Delay(TimeSpan.FromMilliseconds(300 + (Begun.Count % 16 * 15)), cancellationToken);
            return WorkResult.Done;
        }
    }

    private sealed class HeldWork : IWork
    {
        public const string Name = "held";

        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _runs;
        private int _ended;

        public int Runs => Volatile.Read(ref _runs);

        public int Ended => Volatile.Read(ref _ended);

        public Exception? Throws { get; init; }

        public string Kind => Name;

        public void End() => _end.TrySetResult();

        public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _runs);
            try
            {
                if (Throws is not null)
                    throw Throws;
                await _end.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                Interlocked.Increment(ref _ended);
            }

            return WorkResult.Done;
        }
    }
}
