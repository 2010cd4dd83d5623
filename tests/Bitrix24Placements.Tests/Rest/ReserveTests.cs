using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;
using TokenState = Bitrix24Placements.Portals.TokenState;

namespace Bitrix24Placements.Tests.Rest;

/// <summary>The administrator who installed leaves: calls go on with the portal's second pair of tokens.</summary>
public sealed class ReserveTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task When_the_first_tokens_are_refused_for_good_the_call_goes_on_with_the_reserve()
    {
        await using var service = await RestTest.StartAsync();
        await SaveAsync(service, isAdministrator: true);
        var before = await service.StoredAsync();
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Error("expired_token", 401));
        service.Bitrix.Faults.Next("oauth:token", Fault.Error("invalid_grant"));

        Assert.True((await service.CallAsync("placement.list")).Ok);

        var now = await service.StoredAsync();
        Assert.Equal((before.Reserve!.Tokens, TokenState.Good, null), (now.Tokens, now.TokenState, now.Reserve));
        Assert.Single(service.Logs, static l => l.Contains("calls go on with its reserve", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_expired_reserve_is_refreshed_when_it_is_needed()
    {
        await using var service = await RestTest.StartAsync();
        await SaveAsync(service, isAdministrator: true, expiresIn: TimeSpan.FromMinutes(-1));
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Next("oauth:token", Fault.Error("invalid_grant"));

        Assert.True((await service.CallAsync("placement.list")).Ok);

        Assert.Equal(1, service.Bitrix.OAuth.Refreshes);
    }

    [Theory]
    [InlineData("invalid_token")]
    [InlineData("NO_AUTH_FOUND")]
    public async Task A_token_that_the_portal_does_not_know_any_more_gives_way_too(string code)
    {
        await using var service = await RestTest.StartAsync();
        await SaveAsync(service, isAdministrator: true);
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Error(code, 401));

        Assert.True((await service.CallAsync("placement.list")).Ok);

        Assert.Equal(2, (await service.StoredAsync()).UserId);
        Assert.Equal(0, service.Bitrix.OAuth.Refreshes);
    }

    [Fact]
    public async Task What_a_portal_alone_refuses_is_not_lost_to_a_reserve_that_is_dead()
    {
        await using var service = await RestTest.StartAsync();
        await SaveAsync(service, isAdministrator: true);
        var first = (await service.StoredAsync()).Tokens;
        service.Portal.Dismiss(2);
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Error("invalid_token", 401));

        Assert.False((await service.CallAsync("placement.list")).Ok);
        Assert.Equal(2, (await service.StoredAsync()).UserId);
        Assert.True((await service.CallAsync("placement.list")).Ok);

        Assert.Equal((first, null), ((await service.StoredAsync()).Tokens, (await service.StoredAsync()).Reserve));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_administrators_token_gives_way_to_an_employees_only_if_the_OAuth_server_does_not_know_it_either(bool isGone)
    {
        await using var service = await RestTest.StartAsync();
        await SaveAsync(service, isAdministrator: false);
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Error("NO_AUTH_FOUND", 401));
        if (isGone)
            service.Bitrix.Faults.Next("oauth:app.info", Fault.Error("invalid_token", 401));

        Assert.Equal(isGone, (await service.CallAsync("placement.list")).Ok);

        Assert.Equal(isGone ? 2 : 1, (await service.StoredAsync()).UserId);
        Assert.True((await service.CallAsync("placement.list")).Ok);
    }

    [Fact]
    public async Task An_employees_reserve_binds_nothing()
    {
        await using var service = await RestTest.StartAsync();
        await SaveAsync(service, isAdministrator: false);
        var before = await service.StoredAsync();
        await service.Get<PortalStore>().SetTokenStateAsync(before.Id, before.TokensVersion, TokenState.Dead, Token);
        service.Portal.Calls.Clear();

        foreach (var method in new[] { "placement.bind", "placement.unbind", "event.bind", "event.unbind" })
            Assert.Equal((RestErrorKind.NoTokens, "administratorNeeded"), await service.CallAsync(method) is { Error: { } e } ? (e.Kind, e.Code) : default);

        Assert.Empty(service.Portal.Calls);
        Assert.True((await service.CallAsync("placement.list")).Ok);
        Assert.Equal(1, (await service.Get<PortalStore>().CountAsync(Token)).WithoutAdministrator);
    }

    [Fact]
    public async Task The_reserve_is_renewed_under_the_same_rules_and_goes_when_it_is_refused_for_good()
    {
        await using var service = await RestTest.StartAsync();
        await SaveAsync(service, isAdministrator: true);
        var before = await service.StoredAsync();
        var refresher = service.Get<TokenRefresher>();

        await refresher.RefreshReserveAsync(before, Token);
        await service.EventuallyAsync(async () => (await service.StoredAsync()).Reserve?.Tokens is { } tokens && tokens != before.Reserve!.Tokens, "the reserve is renewed");
        // What was decided about the older reserve is void.
        await refresher.RefreshReserveAsync(before, Token);
        Assert.Equal(1, service.Bitrix.OAuth.Refreshes);

        service.Bitrix.Faults.Next("oauth:token", Fault.Error("invalid_grant"));
        await refresher.RefreshReserveAsync(await service.StoredAsync(), Token);

        var now = await service.StoredAsync();
        Assert.Equal((before.Tokens, null), (now.Tokens, now.Reserve));
    }

    [Fact]
    public async Task While_a_secret_is_rotated_both_are_tried_until_the_new_one_has_worked()
    {
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        var app = bitrix.Portals[0].AddApp();
        await using var service = await Service.StartAsync(RestTest.Unlimited, bitrix);
        var registry = service.Get<AppRegistry>();
        await registry.AddAsync(new("other", app.ClientId, new(app.ClientSecret), null), Token);
        var id = new PortalId(service.Portal.MemberId, "other");
        var (access, refresh) = service.Portal.IssueTokens(1, app: app);
        await service.Get<PortalStore>().InstallAsync(
            new()
            {
                Id = id,
                ClientEndpoint = new(service.Portal.ClientEndpoint),
                OAuthServer = new(bitrix.OAuth.Url),
                UserId = 1,
                Tokens = new(new(access), new(refresh), DateTimeOffset.UtcNow.AddMinutes(-1)),
                ReconcileIn = TimeSpan.FromHours(1),
            },
            Token);

        await registry.RotateAsync("other", new("a secret that Bitrix24 will know later"), Token);
        Assert.True((await service.Get<RestClient>().CallAsync(id, new RestCall("placement.list"), Token)).Ok);
        Assert.NotNull(registry.Find("other")!.PreviousSecret);

        await registry.RotateAsync("other", new(app.ClientSecret), Token);
        service.Portal.ExpireTokens();
        Assert.True((await service.Get<RestClient>().CallAsync(id, new RestCall("placement.list"), Token)).Ok);
        Assert.Null(registry.Find("other")!.PreviousSecret);
    }

    private static async Task SaveAsync(Service service, bool isAdministrator, TimeSpan? expiresIn = null)
    {
        var (access, refresh) = service.Portal.IssueTokens(2);
        var tokens = new PortalTokens(new(access), new(refresh), DateTimeOffset.UtcNow + (expiresIn ?? TimeSpan.FromHours(1)));
        Assert.True(await service.Get<PortalStore>().SaveReserveAsync(service.Portal.Id, new(tokens, 2, isAdministrator), Token));
    }
}
