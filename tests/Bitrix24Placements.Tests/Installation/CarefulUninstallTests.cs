using System.Collections.Concurrent;
using System.Net;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Events;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>What the administrator wanted to keep, no employee's notice deletes; and the app is told what has happened, and nothing else.</summary>
public sealed class CarefulUninstallTests(ThrowawayPostgres postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");
    private readonly ConcurrentQueue<UninstalledEvent> _told = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData(StorageProvider.Sqlite), InlineData(StorageProvider.PostgreSql)]
    public async Task One_that_comes_while_an_employees_is_being_checked_wins(StorageProvider provider)
    {
        await using var service = await StartAsync(provider);
        var goOn = new TaskCompletionSource();
        service.Bitrix.OAuth.Calls.Clear();
        service.Bitrix.Faults.Next("oauth:app.info", Fault.UntilAfter(goOn.Task));
        var fields = service.Portal.EventFields("ONAPPUNINSTALL");
        service.Portal.UninstallSilently();
        var employees = TellAsync(service, fields, clean: true);
        await service.Bitrix.OAuth.Calls.WaitAsync(static c => c.Kind == "app.info", 1, Token);

        Assert.Equal(HttpStatusCode.OK, await TellAsync(service, fields, clean: false));
        goOn.SetResult();
        await employees;

        await service.EventuallyAsync(() => !_told.IsEmpty, "the app is told");
        Assert.False(Assert.Single(_told).Clean);
        Assert.True(await IsKeptAsync(service));
    }

    [Theory, InlineData(StorageProvider.Sqlite), InlineData(StorageProvider.PostgreSql)]
    public async Task One_of_many_at_once_wins(StorageProvider provider)
    {
        await using var service = await StartAsync(provider);
        var goOn = new TaskCompletionSource();
        var portals = new List<SimPortal>();
        for (var i = 0; i < 10; i++)
        {
            portals.Add(await service.Bitrix.AddPortalAsync(Token));
            await service.InstallAsync(portals[i]);
        }

        service.Bitrix.Faults.Set("oauth:app.info", Fault.Until(goOn.Task));
        var answers = await Task.WhenAll(portals.SelectMany(p => new[] { true, true, false, true }.Select(clean => TellAsync(service, p.EventFields("ONAPPUNINSTALL"), clean))));

        Assert.All(answers, static a => Assert.Equal(HttpStatusCode.OK, a));
        var notices = await service.Get<Database>().QueryAsync($"SELECT payload FROM work WHERE kind = {WorkKind.Uninstall}", static r => UninstallNotice.Read(r.GetString(0)), Token);
        Assert.Equal(10, notices.Count);
        Assert.All(notices, static n => Assert.False(n!.Clean));
        goOn.SetResult();
    }

    /// <summary>Another instance may have carried out an earlier one: the memory of this one follows by an instant.</summary>
    [Theory, InlineData(StorageProvider.Sqlite), InlineData(StorageProvider.PostgreSql)]
    public async Task One_that_comes_too_late_is_not_accepted(StorageProvider provider)
    {
        await using var service = await StartAsync(provider);
        await service.Get<Database>().ExecuteAsync($"UPDATE portals SET state = {PortalState.Uninstalled}", Token);

        Assert.Equal(HttpStatusCode.Forbidden, await TellAsync(service, service.Portal.EventFields("ONAPPUNINSTALL"), clean: false));

        await service.EventuallyAsync(async () => !await service.HasWorkAsync(WorkKind.Uninstall), "nothing is left to do");
    }

    [Fact]
    public async Task What_is_not_uninstalled_any_more_is_not_told_but_asked_about_again()
    {
        await using var service = await StartAsync(StorageProvider.Sqlite);
        // As where somebody brings other tokens in this very moment.
        await service.Get<Database>().ExecuteAsync(
            $"CREATE TRIGGER meanwhile BEFORE UPDATE OF state ON portals WHEN NEW.state = 0 BEGIN SELECT RAISE(IGNORE); END", Token);

        await service.Portal.UninstallAsync(clean: true, Token);
        await service.EventuallyAsync(async () => await service.DueInAsync(WorkKind.Uninstall) > 0, "it is asked about again");
        await Task.Delay(500, Token);
        Assert.Empty(_told);
        await service.Get<Database>().ExecuteAsync("DROP TRIGGER meanwhile", Token);

        await service.EventuallyAsync(service.IsCleanAsync, "the portal is gone but for its settings");
        await service.EventuallyAsync(() => !_told.IsEmpty, "the app is told");
    }

    public void Dispose() => _folder.Delete(true);

    private async Task<Service> StartAsync(StorageProvider provider)
    {
        var service = await Service.StartInstalledAsync(provider == StorageProvider.Sqlite ? null
            : Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(_folder, "careful")));
        new Endpoints(service.Get<IServiceProvider>()).MapUninstalled((e, _, _) =>
        {
            _told.Enqueue(e);
            return Task.CompletedTask;
        });
        return service;
    }

    private static async Task<HttpStatusCode> TellAsync(Service service, Dictionary<string, string> fields, bool clean)
    {
        using var answer = await service.PostAsync("/events", new Dictionary<string, string>(fields) { ["data[CLEAN]"] = clean ? "1" : "0" });
        return answer.StatusCode;
    }

    private static async Task<bool> IsKeptAsync(Service service) => await service.Get<Database>().AnyAsync(
        $"SELECT 1 FROM portals WHERE state = {PortalState.Uninstalled} AND delete_at IS NULL", Token);
}
