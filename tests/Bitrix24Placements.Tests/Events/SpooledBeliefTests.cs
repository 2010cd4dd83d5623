using System.Collections.Concurrent;
using System.Net;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Events;

/// <summary>What was believed and answered 200 while the database was away is not judged anew by what has changed since.</summary>
public sealed class SpooledBeliefTests
{
    private const string DealAdded = "ONCRMDEALADD";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_is_handled_though_an_update_has_brought_another_application_token()
    {
        await using var service = await Service.StartInstalledAsync();
        var told = new ConcurrentQueue<EventRequest>();
        new Endpoints(service.Get<IServiceProvider>()).MapEvent(DealAdded, (EventRequest e) => told.Enqueue(e));
        await using (await SpoolAsync(service, "inbox", service.Portal.EventFields(DealAdded)))
        {
            await service.Portal.UpdateAsync(cancellationToken: Token);
            await service.EventuallyAsync(
                async () => (await service.WorkerAsync()).StatusCode == HttpStatusCode.OK, "the new application token is known");
        }

        await service.EventuallyAsync(() => !told.IsEmpty, "the event is handled");
        Assert.Equal(service.Portal.Id, Assert.Single(told).Portal.Id);
        await service.EventuallyAsync(() => service.Get<Spool>().List() is [], "the spool is empty");
    }

    [Theory]
    [InlineData("employee's, genuine")]
    [InlineData("genuine, then the employee's live")]
    public async Task Of_two_notices_the_one_that_keeps_the_row_wins_whichever_comes_first(string order)
    {
        await using var service = await Service.StartInstalledAsync();
        var employees = service.Portal.EventFields("ONAPPUNINSTALL", userId: 2);
        employees["data[CLEAN]"] = "1";
        var genuine = service.Portal.EventFields("ONAPPUNINSTALL");
        genuine["data[CLEAN]"] = "0";
        service.Portal.UninstallSilently();
        var isLive = order.EndsWith("live", StringComparison.Ordinal);
        await using (await SpoolAsync(service, "work", isLive ? [genuine] : [employees, genuine]))
        {
            if (isLive)
            {
                (await service.PostAsync("/events", employees)).Dispose();
                await Task.Delay(UninstallWork.ChecksApart + TimeSpan.FromSeconds(3), Token);
                Assert.Equal(PortalState.Installed, (await service.StoredAsync())!.State);
            }
        }

        await service.EventuallyAsync(async () => (await service.StoredAsync())?.State == PortalState.Uninstalled, "it is uninstalled", seconds: 30);

        Assert.False(await service.Get<Database>().AnyAsync("SELECT 1 FROM portals WHERE delete_at IS NOT NULL", Token), "the row is kept");
    }

    /// <summary>Told while a table is away. The first entry waits until what is returned is disposed of, and the others after it.</summary>
    private static async Task<FileStream> SpoolAsync(Service service, string table, params Dictionary<string, string>[] events)
    {
        var database = service.Get<Database>();
        await database.ExecuteAsync(table == "work" ? "ALTER TABLE work RENAME TO away" : "ALTER TABLE inbox RENAME TO away", Token);
        foreach (var fields in events)
        {
            using var answer = await service.PostAsync("/events", fields);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        FileStream? held = null;
        var spool = service.Get<Spool>();
        await service.EventuallyAsync(() => (held = spool.Hold(spool.List()[0])) is not null, "it is held");
        await database.ExecuteAsync(table == "work" ? "ALTER TABLE away RENAME TO work" : "ALTER TABLE away RENAME TO inbox", Token);
        return held!;
    }
}
