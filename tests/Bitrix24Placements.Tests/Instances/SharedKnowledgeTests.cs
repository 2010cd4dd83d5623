using System.Net;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

public sealed class SharedKnowledgeTests(ThrowawayPostgres postgres)
{
    /// <summary>How long an instance may go on with what another has changed.</summary>
    private const int Seconds = 5;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<HttpStatusCode> WorkerAsync(Service instance)
    {
        using var answer = await instance.WorkerAsync();
        return answer.StatusCode;
    }

    [Fact]
    public async Task Both_start_together_on_an_empty_database_and_serve()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);

        Assert.Equal(Enumerable.Range(1, SchemaInstaller.Newest), await cluster.Second.Get<Database>().QueryAsync("SELECT version FROM schema_versions", static r => r.GetInt32(0), Token));
        Assert.Equal([1L], await cluster.Second.Get<Database>().QueryAsync("SELECT COUNT(*) FROM data_protection_keys", static r => r.GetInt64(0), Token));
    }

    [Fact]
    public async Task An_uninstallation_told_to_one_instance_ends_the_other_instances_pages()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);

        await cluster.Portal.UninstallAsync(clean: true, Token);

        await cluster.First.EventuallyAsync(async () => await WorkerAsync(cluster.First) == HttpStatusCode.Forbidden, "the first instance refuses");
        await cluster.Second.EventuallyAsync(async () => await WorkerAsync(cluster.Second) == HttpStatusCode.Forbidden, "the second instance refuses", Seconds);
    }

    [Fact]
    public async Task A_new_application_token_told_to_one_instance_is_expected_by_the_other()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);
        var oldToken = cluster.Portal.App.ApplicationToken;

        var delivery = Assert.Single(await cluster.Portal.UpdateAsync(cancellationToken: Token));

        Assert.True(delivery.Accepted);
        Assert.NotEqual(oldToken, cluster.Portal.App.ApplicationToken);
        await cluster.Second.EventuallyAsync(async () => await WorkerAsync(cluster.Second) == HttpStatusCode.OK, "the second instance knows the new token", Seconds);
        using var old = await cluster.Second.WorkerAsync(change: form => form.Body["APPLICATION_TOKEN"] = oldToken);
        Assert.Equal(HttpStatusCode.Forbidden, old.StatusCode);
    }

    [Fact]
    public async Task Eight_removal_notices_at_once_make_one_registration()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);
        var worker = cluster.Portal.Placements.Single(static p => p.Placement == "PAGE_BACKGROUND_WORKER");
        var path = new Uri((string)worker.Options["errorHandlerUrl"]!).AbsolutePath;
        await cluster.Portal.RemoveWorkerAsync(notify: false, Token);
        cluster.Portal.Calls.Clear();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            cluster.Instances[i % 2].PostAsync(path, new Dictionary<string, string> { ["error"] = "ERROR_PLACEMENT_LOADING_OVERTIME" })));

        Assert.All(answers, static a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        await cluster.First.EventuallyAsync(async () => await cluster.First.Get<Database>().QueryAsync("SELECT 1 FROM work WHERE kind <> 'look'", static r => r.GetInt32(0), Token) is [], "all notices are worked off", 30);
        Assert.Single(cluster.Portal.Placements, static p => p.Placement == "PAGE_BACKGROUND_WORKER");
        Assert.Single(cluster.Portal.Calls, static c => c.Method == "placement.bind");
        Assert.InRange(cluster.Portal.Calls.Count(static c => c.Method == "placement.get"), 1, 3);
    }

    [Fact]
    public async Task Work_that_a_dead_instance_has_begun_is_done_by_another()
    {
        await using var cluster = await Cluster.StartInstalledAsync(postgres);
        cluster.Portal.Unregister("PAGE_BACKGROUND_WORKER");
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

        await cluster.First.Get<Database>().ExecuteAsync(
            $"INSERT INTO work (member_id, app, kind, due_at, attempt, request, created_at, lease_by, lease_till) VALUES ({cluster.Portal.MemberId}, 'default', 'reconcile', {now}, 0, 1, {now}, 'dead', {now + 2000}) ON CONFLICT (member_id, app, kind) DO UPDATE SET lease_by = 'dead', lease_till = {now + 2000}",
            Token);

        await cluster.First.EventuallyAsync(() => cluster.Portal.Placements.Any(static p => p.Placement == "PAGE_BACKGROUND_WORKER"), "the worker is registered again");
    }
}
