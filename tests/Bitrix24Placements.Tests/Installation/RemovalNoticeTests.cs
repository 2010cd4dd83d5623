using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>Bitrix24 removes a slow worker and tells the errorHandlerUrl: it is bound again, with growing pauses.</summary>
public sealed class RemovalNoticeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_removed_worker_is_bound_again()
    {
        await using var service = await Service.StartInstalledAsync();
        var url = service.Portal.RemovalUrl();

        var deliveries = await service.Portal.RemoveWorkerAsync(cancellationToken: Token);

        Assert.Equal(200, Assert.Single(deliveries).Status);
        await service.EventuallyReconciledAsync();
        Assert.Equal(url, service.Portal.RemovalUrl());
    }

    [Fact]
    public async Task The_notice_needs_no_body_and_no_type()
    {
        await using var service = await Service.StartInstalledAsync();
        await service.Portal.RemoveWorkerAsync(notify: false, cancellationToken: Token);
        var url = await RemovalUrlAsync(service);

        using var answer = await service.Http.PostAsync(url, null, Token);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await service.EventuallyRegisteredAsync();
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("x")]
    [InlineData("'%20OR%201=1")]
    public async Task An_unknown_key_is_not_found(string key)
    {
        await using var service = await Service.StartInstalledAsync();

        using var answer = await service.PostAsync("/placements/page-background-worker/removed/" + key, []);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain(service.Logs, l => l.Contains(key, StringComparison.Ordinal) && key.Length > 1);
    }

    [Fact]
    public async Task Every_portal_has_its_own_unguessable_key()
    {
        await using var service = await Service.StartInstalledAsync();
        var other = await service.Bitrix.AddPortalAsync(Token);
        await service.InstallAsync(other);

        var keys = new[] { service.Portal, other }.Select(p => p.RemovalUrl()!.Split('/')[^1]).ToList();

        Assert.Equal(2, keys.Distinct().Count());
        Assert.All(keys, k => Assert.True(k.Length >= 32));
        Assert.DoesNotContain(service.Logs, l => keys.Exists(k => l.Contains(k, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_hundred_notices_cause_a_handful_of_looks()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await StartInstalledAsync(bitrix, time);
        var url = service.Portal.RemovalUrl()!;
        await service.Portal.RemoveWorkerAsync(notify: false, cancellationToken: Token);
        service.Portal.Calls.Clear();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => service.PostAsync(url, [])));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        await service.EventuallyRegisteredAsync();
        for (var i = 0; i < 3 && await service.HasWorkAsync(WorkKind.Reconcile); i++)
        {
            time.Shift(TimeSpan.FromSeconds(6));
            await service.EventuallyAsync(async () => await service.DueInAsync(WorkKind.Reconcile) is null or > 0, "the rest is looked at");
        }

        Assert.InRange(service.Portal.Count("placement.get"), 1, 5);
        Assert.Equal(1, service.Portal.Count("placement.bind"));
    }

    [Fact]
    public async Task However_many_notices_come_the_database_is_told_of_a_few()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await StartInstalledAsync(bitrix, time);
        await RemoveUntilPauseAsync(service, time);
        var url = await RemovalUrlAsync(service);
        var before = await RequestsAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => service.PostAsync(url, [])));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.InRange(await RequestsAsync() - before, 1, 5);

        async Task<long> RequestsAsync() => (await service.Get<Database>().QueryAsync(
            $"SELECT request - created_at FROM work WHERE kind = {WorkKind.Reconcile}", static r => r.GetInt64(0), Token)).Single();
    }

    [Fact]
    public async Task A_notice_among_many_of_a_worker_that_is_still_there_is_not_lost()
    {
        await using var service = await Service.StartInstalledAsync();
        var url = service.Portal.RemovalUrl()!;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var many = Enumerable.Range(0, 8).Select(async _ =>
        {
            while (!enough.IsCancellationRequested)
                (await service.PostAsync(url, [])).Dispose();
        }).ToList();
        for (var i = 0; i < 2; i++)
        {
            await Task.Delay(700, Token);
            Assert.Equal(200, Assert.Single(await service.Portal.RemoveWorkerAsync(cancellationToken: Token)).Status);
            if (i == 0)
                await service.EventuallyRegisteredAsync();
        }

        await enough.CancelAsync();
        await Task.WhenAll(many);
        await service.EventuallyRegisteredAsync();
    }

    [Fact]
    public async Task Notices_one_after_the_other_of_a_worker_that_is_still_there_cause_a_handful_of_looks()
    {
        await using var service = await Service.StartInstalledAsync();
        var url = service.Portal.RemovalUrl()!;
        service.Portal.Calls.Clear();

        for (var i = 0; i < 20; i++)
        {
            (await service.PostAsync(url, [])).Dispose();
            await service.EventuallyAsync(async () => await service.DueInAsync(WorkKind.Reconcile) is null or > 0.5, "the notice is followed or put off");
        }

        Assert.InRange(service.Portal.Count("placement.get"), 1, 5);
        Assert.Equal(0, service.Portal.Count("placement.bind"));
    }

    [Fact]
    public async Task Pauses_grow_while_the_worker_keeps_being_removed_and_are_forgotten_after_a_good_day()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await StartInstalledAsync(bitrix, time);
        var pauses = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            await service.Portal.RemoveWorkerAsync(cancellationToken: Token);
            var pause = Math.Max(0, await service.DueInAsync(WorkKind.Reconcile) ?? 0);
            pauses.Add(pause);
            time.Shift(TimeSpan.FromSeconds(pause + 1));
            await service.EventuallyReconciledAsync();
        }

        Assert.InRange(pauses[0], 0, 5);
        Assert.Equal(pauses.Order(), pauses);
        Assert.True(pauses[4] >= 60, string.Join(", ", pauses));

        time.Shift(TimeSpan.FromHours(25));
        await service.Portal.RemoveWorkerAsync(cancellationToken: Token);
        await service.EventuallyRegisteredAsync(seconds: 8);
    }

    [Fact]
    public async Task A_notice_survives_a_restart()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var first = await StartInstalledAsync(bitrix, time);
        await RemoveUntilPauseAsync(first, time);
        await first.StopAsync();
        time.Shift(TimeSpan.FromHours(1));

        await using var second = await Service.StartAsync(bitrix: bitrix, folder: first.Folder, port: first.Url.Port, services: time.Register);

        await second.EventuallyReconciledAsync();
    }

    [Fact]
    public async Task An_update_does_not_wait_for_the_pause_of_earlier_removals()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await StartInstalledAsync(bitrix, time);
        await RemoveUntilPauseAsync(service, time);

        await service.Portal.UpdateAsync(cancellationToken: Token);

        await service.EventuallyRegisteredAsync(seconds: 5);
    }

    [Fact]
    public async Task The_wizard_does_not_wait_for_the_pause_of_earlier_removals()
    {
        var time = new ShiftedTime();
        await using var bitrix = await Bitrix24.StartAsync(new() { Time = time }, Token);
        await using var service = await StartInstalledAsync(bitrix, time);
        await RemoveUntilPauseAsync(service, time);

        Assert.True((bool)(await service.InstallAsync())["finished"]!);
        Assert.True(service.IsRegistered());
    }

    [Fact]
    public async Task A_notice_while_the_portal_is_silent_is_not_lost()
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Garbage(502), times: 3);

        await service.Portal.RemoveWorkerAsync(cancellationToken: Token);

        await service.EventuallyReconciledAsync();
    }

    [Fact]
    public async Task A_notice_after_an_uninstallation_changes_nothing()
    {
        await using var service = await Service.StartInstalledAsync();
        var url = service.Portal.RemovalUrl()!;
        await service.Portal.UninstallAsync(clean: false, Token);
        await service.EventuallyAsync(async () => (await service.StoredAsync())!.State == PortalState.Uninstalled, "uninstalled");
        service.Portal.Calls.Clear();

        using var answer = await service.PostAsync(url, []);

        Assert.False(await service.HasWorkAsync(WorkKind.Reconcile));
        Assert.Empty(service.Portal.Calls);
    }

    private static async Task<Service> StartInstalledAsync(Bitrix24 bitrix, ShiftedTime time)
    {
        var service = await Service.StartAsync(bitrix: bitrix, services: time.Register);
        await service.InstallAndFinishAsync();
        return service;
    }

    /// <summary>Until a notice is waiting that this instance does not get to.</summary>
    private static async Task RemoveUntilPauseAsync(Service service, ShiftedTime time)
    {
        while (true)
        {
            await service.Portal.RemoveWorkerAsync(cancellationToken: Token);
            if (await service.DueInAsync(WorkKind.Reconcile) is > 60)
                return;
            time.Shift(TimeSpan.FromSeconds(61));
            await service.EventuallyReconciledAsync();
        }
    }

    private static async Task<string> RemovalUrlAsync(Service service) =>
        "/placements/page-background-worker/removed/" + (await service.StoredAsync())!.RemovalKey.Reveal();
}
