using System.Text.Json.Nodes;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Rest;

public sealed class TokenRefreshTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_expired_token_is_refreshed_once_and_the_call_repeated_once()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.ExpireTokens();

        var result = await service.CallAsync("profile");

        Assert.True(result.Ok, result.Error?.ToString());
        Assert.Equal(1, service.Bitrix.OAuth.Refreshes);
        Assert.Equal(["expired_token", "ok"], service.Outcomes("profile").TakeLast(2));
    }

    [Fact]
    public async Task Forty_calls_at_once_on_an_expired_token_make_one_refresh()
    {
        await using var service = await RestTest.StartAsync();
        for (var round = 1; round <= 5; round++)
        {
            service.Portal.ExpireTokens();

            var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => service.CallAsync("placement.list"), Token)));

            Assert.All(results, static r => Assert.True(r.Ok, r.Error?.ToString()));
            Assert.Equal(round, service.Bitrix.OAuth.Calls.Count(static call => call.IsRefresh));
        }
    }

    [Fact]
    public async Task A_portal_that_says_of_every_token_that_it_has_expired_does_not_get_the_app_blocked()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:profile", Fault.Error("expired_token", 401));

        for (var i = 0; i < 50; i++)
            Assert.False((await service.CallAsync("profile")).Ok);

        Assert.InRange(service.Bitrix.OAuth.Refreshes, 1, 30);
    }

    [Fact]
    public async Task A_token_that_is_known_to_have_expired_is_refreshed_before_the_call()
    {
        await using var service = await RestTest.StartAsync();
        await service.Get<Database>().ExecuteAsync("UPDATE portals SET tokens_expire_at = 1", Token);

        Assert.True((await service.CallAsync("placement.list")).Ok);

        Assert.Equal(["ok"], service.Outcomes("placement.list"));
        Assert.Equal(1, service.Bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task New_tokens_are_stored_before_they_are_used()
    {
        await using var service = await RestTest.StartAsync();
        var before = await service.StoredAsync();
        service.Portal.ExpireTokens();
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Error("expired_token", 401));
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Until(goOn.Task));

        var call = service.CallAsync("placement.list");
        await service.Portal.Calls.WaitAsync(static c => c.Method == "placement.list", 2, Token);

        var stored = await service.StoredAsync();
        Assert.NotEqual(before.Tokens, stored.Tokens);
        goOn.SetResult();
        Assert.True((await call).Ok);
        Assert.Equal(stored.Tokens, (await service.StoredAsync()).Tokens);
    }

    [Fact]
    public async Task A_call_that_finds_its_token_replaced_meanwhile_is_repeated_once_with_the_newer_one()
    {
        await using var service = await RestTest.StartAsync();
        var before = await service.StoredAsync();
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Until(goOn.Task));
        var call = service.CallAsync("placement.list");
        await service.Portal.Calls.WaitAsync(static c => c.Method == "placement.list", 1, Token);

        // Meanwhile another call refreshes, and the portal lets the old token die.
        service.Portal.RevokeAll();
        var (access, refresh) = service.Portal.IssueTokens(1);
        await service.Get<PortalStore>().StoreRefreshedAsync(before.Id, before.TokensVersion, new(new(access), new(refresh), DateTimeOffset.UtcNow.AddHours(1)), Token);
        goOn.SetResult();

        Assert.True((await call).Ok);
        Assert.Equal(["invalid_token", "ok"], service.Outcomes("placement.list").Select(static o => o == "until" ? "invalid_token" : o));
        Assert.Equal(0, service.Bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task A_call_whose_token_a_refresh_under_way_has_voided_waits_for_the_new_one()
    {
        await using var bitrix = await Bitrix24.StartAsync(new() { RefreshRevokesAccessToken = true }, Token);
        await using var service = await Harness.Service.StartInstalledAsync(RestTest.Unlimited, bitrix);
        service.Portal.ExpireTokens();
        var goOn = new TaskCompletionSource();
        bitrix.Faults.Next("oauth:token", Fault.UntilAfter(goOn.Task));
        var first = service.CallAsync("placement.list");
        await service.EventuallyAsync(() => bitrix.OAuth.Refreshes == 1, "the old token is void, the new one is not here yet");

        var second = service.CallAsync("placement.list");
        await service.EventuallyAsync(() => service.Outcomes("placement.list").Contains("invalid_token"), "the portal has refused the old token");
        goOn.SetResult();

        Assert.True((await first).Ok);
        Assert.True((await second).Ok);
        Assert.Equal(1, bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task A_token_that_is_invalid_and_not_replaced_is_refused_without_a_repetition()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.RevokeAll();

        var result = await service.CallAsync("placement.list");

        Assert.Equal((RestErrorKind.Refused, "invalid_token"), (result.Error!.Kind, result.Error.Code));
        Assert.Equal(["invalid_token"], service.Outcomes("placement.list"));
    }

    [Fact]
    public async Task Tokens_that_are_dead_for_good_are_asked_about_once()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Set("oauth:token", Fault.Error("invalid_grant"));

        Assert.Equal("invalid_grant", (await service.CallAsync("placement.list")).Error!.Code);
        for (var i = 0; i < 5; i++)
            Assert.Equal(RestErrorKind.NoTokens, (await service.CallAsync("placement.list")).Error!.Kind);

        Assert.Single(service.Bitrix.OAuth.Calls, static call => call.IsRefresh);
        Assert.Equal(Bitrix24Placements.Portals.TokenState.Dead, (await service.StoredAsync()).TokenState);
    }

    [Fact]
    public async Task An_OAuth_server_that_stumbles_is_not_hammered_and_the_tokens_live()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Set("oauth:token", Fault.Garbage(502));

        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => service.CallAsync("placement.list")));

        Assert.All(results, static r => Assert.Equal("bitrix24Unavailable", r.Error!.Code));
        Assert.InRange(service.Bitrix.OAuth.Calls.Count(static call => call.IsRefresh), 1, 3);
        service.Bitrix.Faults.Clear();
        await service.EventuallyAsync(async () => (await service.CallAsync("placement.list")).Ok, "the tokens are refreshed after all");
        Assert.Equal(Bitrix24Placements.Portals.TokenState.Good, (await service.StoredAsync()).TokenState);
    }

    [Fact]
    public async Task A_refresh_whose_answer_comes_late_is_not_thrown_away()
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.ExpireTokens();
        var goOn = new TaskCompletionSource();
        service.Bitrix.Faults.Next("oauth:token", Fault.UntilAfter(goOn.Task));
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var call = service.Get<RestClient>().CallAsync(service.Portal.Id, new Bitrix24Placements.RestCall("placement.list"), impatient.Token);
        await service.Bitrix.OAuth.Calls.WaitAsync(static c => c.IsRefresh, 1, Token);

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        goOn.SetResult();

        Assert.True((await service.CallAsync("placement.list")).Ok);
        Assert.Single(service.Bitrix.OAuth.Calls, static c => c.IsRefresh);
    }

    [Fact]
    public async Task A_refreshed_pair_of_another_portal_is_discarded()
    {
        await using var service = await RestTest.StartAsync();
        var before = await service.StoredAsync();
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Next("oauth:token", Fault.Answer(new JsonObject
        {
            ["access_token"] = "foreign-access",
            ["refresh_token"] = "foreign-refresh",
            ["expires_in"] = 3600,
            ["member_id"] = "ffffffffffffffffffffffffffffffff",
        }.ToJsonString()));

        var result = await service.CallAsync("placement.list");

        Assert.Equal("bitrix24Unavailable", result.Error!.Code);
        Assert.Equal(before.Tokens, (await service.StoredAsync()).Tokens);
        await service.EventuallyAsync(async () => (await service.CallAsync("placement.list")).Ok, "the next refresh is the portal's own");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"access_token\":\"\",\"refresh_token\":\"\",\"member_id\":\"\"}")]
    [InlineData("{\"access_token\":{\"a\":1},\"refresh_token\":[],\"member_id\":5}")]
    public async Task A_refresh_answer_without_sense_changes_nothing(string answer)
    {
        await using var service = await RestTest.StartAsync();
        var before = await service.StoredAsync();
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Next("oauth:token", Fault.Answer(answer));

        Assert.Equal("bitrix24Unavailable", (await service.CallAsync("placement.list")).Error!.Code);
        Assert.Equal(before.Tokens, (await service.StoredAsync()).Tokens);
    }

    [Fact]
    public async Task Without_the_apps_keys_nobody_is_asked()
    {
        await using var service = await RestTest.StartAsync();
        var settings = RestTest.Unlimited;
        settings["Bitrix24:ClientId"] = settings["Bitrix24:ClientSecret"] = null;
        await using var keyless = await Harness.Service.StartAsync(settings, service.Bitrix, service.Folder);
        var calls = service.Portal.Calls.Count;

        Assert.Equal(RestErrorKind.NotConfigured, (await keyless.CallAsync("placement.list")).Error!.Kind);
        Assert.Equal(calls, service.Portal.Calls.Count);
    }
}
