using System.Globalization;
using System.Text.Json;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Microsoft.Data.Sqlite;
using TokenState = Bitrix24Placements.Portals.TokenState;

namespace Bitrix24Placements.Tests.Rest;

/// <summary>What a refresh has brought is the only valid pair there is: no fault of the database or the disk loses it.</summary>
public sealed class RefreshedTokenTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_the_database_is_away_calls_go_on_with_the_new_tokens_and_the_next_process_finds_them()
    {
        await using var service = await RestTest.StartAsync();
        var before = await service.StoredAsync();
        await using (await LockAfterRefreshAsync(service))
        {
            Assert.True((await service.CallAsync("placement.list")).Ok);
            Assert.Equal(["ok"], service.Outcomes("placement.list"));
            Assert.NotEmpty(Spooled(service));
            await service.StopAsync();
        }

        Assert.NotEmpty(Spooled(service));
        await using var next = await Harness.Service.StartAsync(RestTest.Unlimited, service.Bitrix, service.Folder);
        await next.EventuallyAsync(() => Spooled(next).Length == 0, "the spool is carried over");

        Assert.NotEqual(before.Tokens, (await next.StoredAsync()).Tokens);
        Assert.True((await next.CallAsync("placement.list")).Ok);
        Assert.Equal(1, next.Bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task When_the_database_is_back_the_tokens_are_stored_and_the_outage_was_one_line()
    {
        await using var service = await RestTest.StartAsync();
        await using (await LockAfterRefreshAsync(service))
            await service.EventuallyAsync(() => service.Logs.Any(static l => l.Contains("cannot be stored yet", StringComparison.Ordinal)), "the outage is told");

        await service.EventuallyAsync(async () => (await service.StoredAsync()).TokensVersion > 0 && Spooled(service).Length == 0, "stored");
        await service.EventuallyAsync(() => service.Logs.Any(static l => l.Contains("stored again", StringComparison.Ordinal)), "its end is told");

        Assert.Single(service.Logs, static l => l.Contains("cannot be stored yet", StringComparison.Ordinal));
        Assert.True((await service.CallAsync("placement.list")).Ok);
        Assert.Equal(1, service.Bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task Without_room_in_the_spool_no_refresh_begins()
    {
        var settings = RestTest.Unlimited;
        settings["Storage:SpoolPath"] = "/dev/null/spool";
        await using var service = await Harness.Service.StartInstalledAsync(settings);
        service.Portal.ExpireTokens();

        Assert.Equal("bitrix24Unavailable", (await service.CallAsync("placement.list")).Error!.Code);

        Assert.DoesNotContain(service.Bitrix.OAuth.Calls, static c => c.IsRefresh);
        Assert.Equal(TokenState.Good, (await service.StoredAsync()).TokenState);
    }

    [Fact]
    public async Task Nothing_is_left_in_the_spool_by_a_refresh_that_ends_well_or_is_refused()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.ExpireTokens();
        Assert.True((await service.CallAsync("placement.list")).Ok);
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Next("oauth:token", Fault.Error("invalid_grant"));
        Assert.False((await service.CallAsync("placement.list")).Ok);

        await service.EventuallyAsync(() => Spooled(service).Length == 0, "empty");
    }

    [Fact]
    public async Task Spooled_tokens_never_take_the_place_of_newer_ones()
    {
        await using var service = await RestTest.StartAsync();
        var stored = await service.StoredAsync();
        var handler = service.Get<RefreshedTokenKeeper>();

        Assert.True(await handler.CarryOverAsync("", Payload(stored.TokensVersion - 1), default, Token));
        Assert.Equal(stored.Tokens, (await service.StoredAsync()).Tokens);
        Assert.True(await handler.CarryOverAsync("", Payload(stored.TokensVersion), default, Token));
        Assert.Equal("access", (await service.StoredAsync()).Tokens!.Access.Reveal());

        string Payload(long version) => JsonSerializer.Serialize(
            new { service.Portal.MemberId, App = PortalId.DefaultApp, Version = version, Access = "access", Refresh = "refresh", ExpiresAt = DateTimeOffset.UtcNow.AddHours(1) });
    }

    [Fact]
    public async Task Refused_keys_are_told_by_the_apps_name_and_no_portals_tokens_are_dead_by_them()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Set("oauth:token", Fault.Error("invalid_client", 401));

        Assert.Equal((RestErrorKind.Refused, "invalid_client"), await service.CallAsync("placement.list") is { Error: { } e } ? (e.Kind, e.Code) : default);

        Assert.Equal(TokenState.Failing, (await service.StoredAsync()).TokenState);
        Assert.Single(service.Logs, static l => l.StartsWith("Critical", StringComparison.Ordinal) && l.Contains("the app default", StringComparison.Ordinal));
    }

    private static string[] Spooled(Service service) =>
        Directory.Exists(Path.Combine(service.Folder.FullName, "spool")) ? Directory.GetFiles(Path.Combine(service.Folder.FullName, "spool")) : [];

    /// <summary>A refresh is under way when the database goes away; its answer comes after that.</summary>
    private static async Task<SqliteConnection> LockAfterRefreshAsync(Service service)
    {
        await service.Get<Database>().ExecuteAsync("UPDATE portals SET tokens_expire_at = 1", Token);
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Next("oauth:token", Fault.UntilAfter(goOn.Task));
        var refresh = service.Get<TokenRefresher>().UsableAsync(service.Portal.Id, Token);
        await service.Bitrix.OAuth.Calls.WaitAsync(static c => c.IsRefresh, 1, Token);
        var connection = new SqliteConnection(string.Create(CultureInfo.InvariantCulture, $"Data Source={service.Get<Database>().FilePath};Pooling=False"));
        await connection.OpenAsync(Token);
        await using var begin = connection.CreateCommand();
        begin.CommandText = "BEGIN EXCLUSIVE";
        await begin.ExecuteNonQueryAsync(Token);
        goOn.SetResult();
        var started = TimeProvider.System.GetTimestamp();
        Assert.True((await refresh).Ok);
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
        return connection;
    }
}
