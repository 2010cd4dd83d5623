using System.Net;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>A copy of the files of a running service is what a kill leaves behind: the next process goes on from it.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private readonly ShiftedTime _time = new();
    private readonly DirectoryInfo _copy = Directory.CreateTempSubdirectory("b24p-copy-");
    private Bitrix24 _bitrix = null!;
    private Service _first = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bitrix = await Bitrix24.StartAsync(new() { Time = _time }, Token);
        _first = await Service.StartAsync(bitrix: _bitrix, services: _time.Register);
    }

    [Fact]
    public async Task What_was_installed_is_served()
    {
        await _first.InstallAndFinishAsync();
        await using var second = await StartOnCopyAsync();

        using var worker = await second.WorkerAsync();
        using var app = await second.AppPageAsync();

        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        Assert.Equal(HttpStatusCode.OK, app.StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, await second.SignalAsync());
    }

    [Fact]
    public async Task Killed_in_the_middle_of_a_bind_the_next_process_makes_one_registration()
    {
        var gate = new TaskCompletionSource();
        _bitrix.Faults.Next(Steps.Bind, Fault.UntilAfter(gate.Task));
        var installing = _first.InstallAsync();
        await _first.Portal.Calls.WaitAsync(c => c is { Method: "placement.bind", Outcome: "ok" }, 1, Token);
        await using var second = await StartOnCopyAsync();

        await _first.EventuallyRegisteredAsync();
        await second.EventuallyAsync(async () => !await second.HasWorkAsync(WorkKind.Reconcile), "nothing is left to do");

        // The killed one wakes up: it finds everything done.
        gate.SetResult();
        Assert.True((bool)(await installing)["finished"]!);
        Assert.True(_first.IsRegistered());
        Assert.Equal(2, _first.Portal.EventHandlers.Count);
    }

    [Fact]
    public async Task Killed_before_the_first_bind_the_next_process_makes_the_registrations()
    {
        var gate = new TaskCompletionSource();
        _bitrix.Faults.Next("rest:placement.get", Fault.Until(gate.Task));
        var installing = _first.InstallAsync();
        await _first.Portal.Calls.WaitAsync(c => c.Method == "placement.get", 1, Token);

        await using var second = await StartOnCopyAsync();

        await _first.EventuallyRegisteredAsync();
        gate.SetResult();
        Assert.True((bool)(await installing)["finished"]!);
        Assert.True(_first.IsRegistered());
    }

    [Fact]
    public async Task Killed_between_the_OAuth_servers_answer_and_the_store_the_portal_heals_with_an_administrators_page()
    {
        await _first.InstallAndFinishAsync();
        _time.Shift(TimeSpan.FromHours(2));
        var gate = new TaskCompletionSource();
        _bitrix.Faults.Next("oauth:token", Fault.UntilAfter(gate.Task));
        var signal = _first.SignalAsync();
        await _bitrix.OAuth.Calls.WaitAsync(c => c is { Kind: "token", Outcome: "ok" }, 1, Token);
        await using var second = await StartOnCopyAsync();

        Assert.NotEqual(HttpStatusCode.Accepted, await second.SignalAsync());
        Assert.Equal(TokenState.Dead, (await second.StoredAsync())!.TokenState);
        (await second.LinkAsync(userId: 2)).Dispose();
        Assert.Equal(TokenState.Dead, (await second.StoredAsync())!.TokenState);
        (await second.LinkAsync()).Dispose();

        Assert.Equal(HttpStatusCode.Accepted, await second.SignalAsync());
        gate.SetResult();
        Assert.Equal(HttpStatusCode.Accepted, await signal);
    }

    [Fact]
    public async Task What_a_newer_version_wants_declared_is_left_to_it_for_a_while()
    {
        await _first.InstallAndFinishAsync();
        var request = ReconcileWork.RequestFor(_first.Portal.Id, "of the next version");
        var reconcile = _first.Get<IEnumerable<IWork>>().OfType<ReconcileWork>().Single();
        WorkItem Asked(TimeSpan ago) => new(request.Id, request.Kind, 0, 1, request.Payload, _time.GetUtcNow() - ago);
        _first.Portal.Calls.Clear();

        Assert.NotNull((await reconcile.RunAsync(Asked(TimeSpan.FromSeconds(50)), Token)).Pause);
        Assert.Empty(_first.Portal.Calls);

        // Who asked is gone.
        Assert.Null((await reconcile.RunAsync(Asked(TimeSpan.FromSeconds(70)), Token)).Pause);
        Assert.NotEmpty(_first.Portal.Calls);
    }

    [Fact]
    public async Task Stopping_ends_the_refresh_that_has_begun_and_keeps_its_tokens()
    {
        await _first.InstallAndFinishAsync();
        _time.Shift(TimeSpan.FromHours(2));
        _bitrix.Faults.Next("oauth:token", Fault.DelayAfter(TimeSpan.FromSeconds(1)));
        var signal = _first.SignalAsync();
        await _bitrix.OAuth.Calls.WaitAsync(c => c is { Kind: "token", Outcome: "ok" }, 1, Token);

        await Task.WhenAll(_first.StopAsync(), signal.ContinueWith(static _ => { }, TaskScheduler.Default));

        await using var second = await Service.StartAsync(bitrix: _bitrix, folder: _first.Folder, port: _first.Url.Port, services: _time.Register);
        Assert.Equal(HttpStatusCode.Accepted, await second.SignalAsync());
        Assert.Equal(1, _bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task Tokens_whose_keys_are_lost_count_as_dead_and_an_administrators_page_heals_them()
    {
        await _first.InstallAndFinishAsync();
        var url = _first.Portal.RemovalUrl();
        await _first.StopAsync();
        Directory.Delete(Path.Combine(_first.Folder.FullName, "keys"), recursive: true);
        _bitrix.OAuth.Calls.Clear();

        await using var second = await Service.StartAsync(bitrix: _bitrix, folder: _first.Folder, port: _first.Url.Port, services: _time.Register);

        using (var worker = await second.WorkerAsync())
            Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await second.SignalAsync());
        Assert.Empty(_bitrix.OAuth.Calls);
        Assert.Equal(1, await DeadTokensAsync(second));
        using (var employee = await second.AppPageAsync(userId: 2))
            Assert.Contains("data-state=\"dead\"", await employee.TextAsync(), StringComparison.Ordinal);

        (await second.AppPageAsync()).Dispose();

        await second.EventuallyReconciledAsync();
        Assert.Equal(HttpStatusCode.Accepted, await second.SignalAsync());
        Assert.Equal(0, await DeadTokensAsync(second));
        // The key of the old address was lost as well, so that there is another one.
        Assert.NotEqual(url, second.Portal.RemovalUrl());
        await second.Portal.RemoveWorkerAsync(cancellationToken: Token);
        await second.EventuallyRegisteredAsync();
    }

    /// <summary>They may be back: a folder that was not mounted, a wrong certificate.</summary>
    [Fact]
    public async Task While_their_keys_are_away_no_pair_of_tokens_is_lost()
    {
        await _first.InstallAndFinishAsync();
        _first.Portal.SetAdmin(2, admin: true);
        (await _first.AppPageAsync(userId: 2)).Dispose();
        await _first.EventuallyAsync(async () => (await _first.StoredAsync())?.Reserve is not null, "another administrator's are the reserve");
        var before = (await _first.StoredAsync())!;
        var keys = new DirectoryInfo(Path.Combine(_first.Folder.FullName, "keys"));
        await _first.StopAsync();
        keys.MoveTo(keys.FullName + "-away");
        await using (var second = await Service.StartAsync(bitrix: _bitrix, folder: _first.Folder, services: _time.Register))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await second.SignalAsync());
            await second.StopAsync();
        }

        Directory.Delete(Path.Combine(_first.Folder.FullName, "keys"), recursive: true);
        keys.MoveTo(Path.Combine(_first.Folder.FullName, "keys"));
        await using var third = await Service.StartAsync(bitrix: _bitrix, folder: _first.Folder, services: _time.Register);

        Assert.Equal((before.Tokens, before.Reserve), ((await third.StoredAsync())!.Tokens, (await third.StoredAsync())!.Reserve));
        Assert.Equal(HttpStatusCode.Accepted, await third.SignalAsync());
    }

    /// <summary>As health tells them, counted anew.</summary>
    private static async Task<long> DeadTokensAsync(Service service) => (await service.Get<PortalStore>().CountAsync(Token)).DeadTokens;

    /// <summary>A service with the same public address on a copy of the first one's files, after the first one's leases have run out.</summary>
    private async Task<Service> StartOnCopyAsync()
    {
        Copy(_first.Folder, _copy);
        _time.Shift(WorkStore.Lease + TimeSpan.FromSeconds(1));
        return await Service.StartAsync(new() { ["Bitrix24:PublicUrl"] = _first.Url.GetLeftPart(UriPartial.Authority) }, _bitrix, _copy, _time.Register);
    }

    private static void Copy(DirectoryInfo from, DirectoryInfo to)
    {
        // Places in the spool that are only reserved are held by the process: empty, they would be removed.
        foreach (var file in from.EnumerateFiles().Where(static f => f.Extension != ".spool"))
            file.CopyTo(Path.Combine(to.FullName, file.Name));
        foreach (var folder in from.EnumerateDirectories())
            Copy(folder, to.CreateSubdirectory(folder.Name));
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _bitrix.DisposeAsync();
        _copy.Delete(true);
    }
}
