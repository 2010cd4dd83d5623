using System.Diagnostics;
using System.Globalization;
using System.Net;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Instances;
using Npgsql;

namespace Bitrix24Placements.Tests.Events;

/// <summary>What Bitrix24 tells once while the database is away is answered 200 and not lost.</summary>
public sealed class SpooledEventTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Installations_and_removal_notices_are_carried_over_when_it_is_back()
    {
        TcpRelay? relay = null;
        await using var fleet = await Fleet.OnPostgreSqlAsync(postgres, 1, database => Through(database, out relay));
        await using var way = relay ?? throw new InvalidOperationException("No relay.");
        await fleet.StartAsync();
        var (installed, leaving) = (await fleet.AddPortalAsync(), await fleet.AddPortalAsync());
        var (announced, late) = (await fleet.Bitrix.AddPortalAsync(Token), await fleet.Bitrix.AddPortalAsync(Token));

        way.Cut();
        await installed.RemoveWorkerAsync(notify: false, Token);
        Assert.Equal([200], (await leaving.UninstallAsync(clean: false, Token)).Select(static d => d.Status));
        Assert.Equal([200], (await installed.SendEventAsync("ONAPPUSERREADY", cancellationToken: Token)).Select(static d => d.Status));
        Assert.Equal(200, (await announced.InstallAsync(apiOnly: true, cancellationToken: Token))?.Status);
        Assert.Equal(200, (await late.InstallAsync(apiOnly: true, cancellationToken: Token))?.Status);
        late.ExpireTokens();
        Assert.Equal(200, await PostAsync(fleet, "/placements/page-background-worker/removed/" + new string('a', 64), []));
        Assert.Equal(404, await PostAsync(fleet, "/placements/page-background-worker/removed/short", []));
        way.Restore();

        await fleet.EventuallyAsync(() => Task.FromResult(announced.Placements.Count == 2), "the announced portal is installed", seconds: 60);
        await fleet.EventuallyAsync(() => Task.FromResult(late.Placements.Count == 2), "so is the one whose token has expired meanwhile", seconds: 60);
        await fleet.EventuallyAsync(async () => await fleet.CountAsync($"SELECT COUNT(*) FROM portals WHERE member_id = '{leaving.MemberId}' AND tokens IS NULL") == 1, "the other one has left", seconds: 60);
        await fleet.EventuallyAsync(async () => await fleet.CountAsync($"SELECT COUNT(*) FROM portals WHERE member_id = '{installed.MemberId}' AND reserve_tokens IS NOT NULL") == 1, "the employee's tokens are the reserve", seconds: 60);
    }

    [Fact]
    public async Task However_many_come_while_a_SQLite_file_is_locked_each_is_answered_before_Bitrix24_gives_up()
    {
        await using var fleet = await (await Fleet.OnSqliteAsync()).StartAsync();
        var portal = await fleet.AddPortalAsync();
        var notice = new Uri((string)portal.Placements.Single(static p => p.Placement == "PAGE_BACKGROUND_WORKER").Options["errorHandlerUrl"]!).AbsolutePath;
        await portal.RemoveWorkerAsync(notify: false, Token);
        await using (var connection = await fleet.ConnectAsync())
        {
            await using var locked = await connection.BeginTransactionAsync(Token);
            var started = Stopwatch.StartNew();
            Assert.All(await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => PostAsync(fleet, notice, []))), static status => Assert.Equal(200, status));
            // Five seconds for its turn, five for the file; without a limit it was 25.
            Assert.True(started.Elapsed < TimeSpan.FromSeconds(17), $"{started.Elapsed}");
        }

        await fleet.EventuallyAsync(() => Task.FromResult(portal.Placements.Count == 2), "the worker is bound again", seconds: 60);
    }

    [Fact]
    public async Task However_much_strangers_send_meanwhile_who_has_an_application_token_is_kept()
    {
        TcpRelay? relay = null;
        await using var fleet = await Fleet.OnPostgreSqlAsync(postgres, 1, database => Through(database, out relay));
        await using var way = relay ?? throw new InvalidOperationException("No relay.");
        await fleet.StartAsync();
        var leaving = await fleet.AddPortalAsync();
        var announced = await fleet.Bitrix.AddPortalAsync(Token);

        way.Cut();
        await FillAsync(fleet, _ => announced.MemberId, 1, addresses: 1);
        Assert.Equal(200, (await announced.InstallAsync(apiOnly: true, cancellationToken: Token))?.Status);
        foreach (var length in new[] { 1_000, 100, 1 })
            await FillAsync(fleet, i => i.ToString("x32", CultureInfo.InvariantCulture), length, addresses: 20);
        Assert.Equal([200], (await leaving.UninstallAsync(clean: false, Token)).Select(static d => d.Status));
        way.Restore();

        await fleet.EventuallyAsync(async () => await fleet.CountAsync($"SELECT COUNT(*) FROM portals WHERE member_id = '{leaving.MemberId}' AND tokens IS NULL") == 1, "it has left", seconds: 60);
        await fleet.EventuallyAsync(() => Task.FromResult(announced.Placements.Count == 2), "the announced portal is installed", seconds: 60);
    }

    /// <summary>Its keys are in the database: it can spool nothing, says so, and is not ready.</summary>
    [Fact]
    public async Task An_instance_that_starts_while_it_is_away_refuses_them_with_503()
    {
        TcpRelay? relay = null;
        await using var fleet = await Fleet.OnPostgreSqlAsync(postgres, 1, database => Through(database, out relay));
        await using var way = relay ?? throw new InvalidOperationException("No relay.");
        await fleet.StartAsync();
        var portal = await fleet.AddPortalAsync();
        await fleet.KillAsync(0);

        way.Cut();
        var process = fleet.Begin(0);
        await fleet.EventuallyAsync(() => Task.FromResult(process.Output.Contains("cannot be used yet", StringComparison.Ordinal)), "it waits");
        Assert.Equal(503, await PostAsync(fleet, "/install", portal.EventFields("ONAPPINSTALL")));
        Assert.Equal(503, await PostAsync(fleet, "/events", portal.EventFields("ONAPPUNINSTALL")));
        Assert.Equal(503, await PostAsync(fleet, "/placements/page-background-worker/removed/" + new string('a', 64), []));
        using var worker = await process.WorkerAsync(portal);
        Assert.Equal(503, (int)worker.StatusCode);
        way.Restore();

        await process.ReadyAsync();
        Assert.Equal(200, await PostAsync(fleet, "/install", portal.EventFields("ONAPPINSTALL")));
    }

    private static string Through(string database, out TcpRelay relay)
    {
        var target = new NpgsqlConnectionStringBuilder(database);
        relay = new(target.Port);
        return new NpgsqlConnectionStringBuilder(database) { Host = "127.0.0.1", Port = relay.Port }.ConnectionString;
    }

    /// <summary>Until nothing more is taken.</summary>
    private static async Task FillAsync(Fleet fleet, Func<int, string> memberId, int length, int addresses)
    {
        for (var i = 0; i < 1_000; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/events");
            request.Headers.Add("X-Forwarded-For", $"192.0.2.{i % addresses}");
            string[] kept = ["auth[access_token]", "auth[refresh_token]", "auth[server_endpoint]", "data[access_token]", "data[refresh_token]", "data[server_endpoint]"];
            request.Content = new FormUrlEncodedContent([
                new("event", "ONAPPUNINSTALL"), new("auth[member_id]", memberId(i)), .. kept.Select(name => KeyValuePair.Create(name, new string('€', length)))]);
            using var answer = await fleet[0].Http.SendAsync(request, Token);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
                return;
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Fail("There is always room.");
    }

    private static async Task<int> PostAsync(Fleet fleet, string path, IEnumerable<KeyValuePair<string, string>> fields)
    {
        using var answer = await fleet[0].Http.PostAsync(path, new FormUrlEncodedContent(fields), Token);
        return (int)answer.StatusCode;
    }
}
