using System.Text.Json.Nodes;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Rest;

public sealed class OAuthTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_of_an_app_that_nobody_has_added_names_its_client_id()
    {
        await using var service = await RestTest.StartAsync();
        var stranger = service.Portal.AddApp("local.stranger");
        var (access, _) = service.Portal.IssueTokens(1, app: stranger);

        var confirmation = await service.Get<OAuthClient>().ConfirmAsync(new(access), null, TimeSpan.FromSeconds(10), Token);

        Assert.Equal((TokenVerdict.UnknownApp, null, "local.stranger"), (confirmation.Verdict, confirmation.Info, confirmation.ClientId));
    }

    [Fact]
    public async Task The_app_of_a_token_is_the_OAuth_servers_word()
    {
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        var other = bitrix.Portals[0].AddApp("local.other");
        await using var service = await Service.StartAsync(
            new() { ["Bitrix24:Apps:other:ClientId"] = other.ClientId, ["Bitrix24:Apps:other:ClientSecret"] = other.ClientSecret }, bitrix);
        var (access, _) = service.Portal.IssueTokens(1, app: other);

        var confirmation = await service.Get<OAuthClient>().ConfirmAsync(new(access), null, TimeSpan.FromSeconds(10), Token);

        Assert.Equal(new PortalId(service.Portal.MemberId, "other"), confirmation.Info!.Id);
    }

    [Fact]
    public async Task Keys_are_tested_without_burning_a_token()
    {
        await using var service = await RestTest.StartAsync();
        var oauth = service.Get<OAuthClient>();
        var server = new Uri(service.Bitrix.OAuth.Url);
        var app = service.Get<AppRegistry>().All[0];

        Assert.Equal(KeysVerdict.Right, await oauth.TestKeysAsync(app, server, Token));
        Assert.Equal(KeysVerdict.Wrong, await oauth.TestKeysAsync(app with { ClientSecret = new("wrong") }, server, Token));
        service.Bitrix.Faults.Next("oauth:token", Fault.Garbage());
        Assert.Equal(KeysVerdict.NotKnown, await oauth.TestKeysAsync(app, server, Token));
        service.Bitrix.Faults.Next("oauth:token", Fault.Error("WRONG_CLIENT", 200));
        Assert.Equal(KeysVerdict.NotKnown, await oauth.TestKeysAsync(app, server, Token));
        service.Portal.ExpireTokens();
        Assert.True((await service.CallAsync("placement.list")).Ok);
    }

    [Theory]
    [InlineData("invalid_token", 401, nameof(TokenVerdict.Invalid))]
    [InlineData("invalid_token", 429, nameof(TokenVerdict.NoAnswer))]
    [InlineData("invalid_token", 500, nameof(TokenVerdict.NoAnswer))]
    [InlineData("WRONG_CLIENT", 200, nameof(TokenVerdict.Refused))]
    [InlineData("QUERY_LIMIT_EXCEEDED", 400, nameof(TokenVerdict.NoAnswer))]
    [InlineData("temporarily_unavailable", 400, nameof(TokenVerdict.NoAnswer))]
    [InlineData("something_new", 400, nameof(TokenVerdict.Refused))]
    public async Task What_a_server_in_trouble_says_is_not_of_the_token(string code, int status, string verdict)
    {
        await using var service = await RestTest.StartAsync();
        var (access, _) = service.Portal.IssueTokens(1);
        foreach (var fault in (Fault[])[Fault.Error(code, status), Fault.ErrorObject(code, status)])
        {
            service.Bitrix.Faults.Next("oauth:app.info", fault);
            var confirmation = await service.Get<OAuthClient>().ConfirmAsync(new(access), new(service.Bitrix.OAuth.Url), TimeSpan.FromSeconds(10), Token);
            Assert.Equal(verdict, confirmation.Verdict.ToString());
        }
    }

    [Theory]
    [InlineData(400, true)]
    [InlineData(503, false)]
    [InlineData(429, false)]
    public async Task A_server_in_trouble_does_not_end_tokens(int status, bool isDead)
    {
        await using var service = await RestTest.StartAsync();
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Next("oauth:token", Fault.Error("invalid_grant", status));

        await service.CallAsync("placement.list");

        Assert.Equal(isDead ? TokenState.Dead : TokenState.Failing, (await service.StoredAsync()).TokenState);
    }

    [Fact]
    public async Task A_portals_address_in_other_letters_is_kept_and_sent_in_ASCII()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Answer(new JsonObject
        {
            ["result"] = new JsonObject
            {
                ["client_id"] = service.Bitrix.Options.ClientId,
                ["user_id"] = 1,
                ["install"] = new JsonObject { ["member_id"] = service.Portal.MemberId, ["client_endpoint"] = "http://портал.example.com/rest/" },
            },
        }.ToJsonString()));

        using var page = await service.LinkAsync();

        Assert.Equal(System.Net.HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("http://xn--80awhdgm.example.com", string.Join(' ', page.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal("xn--80awhdgm.example.com", (await service.StoredAsync()).ClientEndpoint.Host);
    }
}
