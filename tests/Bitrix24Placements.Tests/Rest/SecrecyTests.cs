using System.Collections.Concurrent;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Rest;

public sealed class SecrecyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_token_reaches_a_log_or_an_error_whatever_goes_wrong()
    {
        await using var service = await RestTest.StartAsync();
        var secrets = new ConcurrentBag<string>();
        var said = new List<string>();
        foreach (var fault in new[]
        {
            Fault.Error("ACCESS_DENIED", 403), Fault.Error("OVERLOAD_LIMIT", 503), Fault.Garbage(), Fault.Garbage(500), Fault.Answer(""), Fault.Drop(), Fault.DropAfter(), Fault.Hang(),
            Fault.Redirect("http://127.0.0.1:1/rest/user.update"), Fault.Error("expired_token", 401), Fault.Error("invalid_token", 401),
        })
        {
            await LearnAsync(service, secrets);
            service.Bitrix.Faults.Set("rest:user.update", fault);
            said.Add((await service.CallAsync("user.update", deadline: TimeSpan.FromSeconds(1))).ToString());
        }

        foreach (var fault in new[] { Fault.Error("invalid_client", 401), Fault.Garbage(), Fault.Drop(), Fault.Error("invalid_grant") })
        {
            await LearnAsync(service, secrets);
            service.Portal.ExpireTokens();
            service.Bitrix.Faults.Set("oauth:token", fault);
            said.Add((await service.CallAsync("placement.list", deadline: TimeSpan.FromSeconds(1))).ToString());
        }

        foreach (var secret in secrets)
            Assert.DoesNotContain(service.Logs.Concat(said), line => line.Contains(secret, StringComparison.Ordinal));
        Assert.DoesNotContain(service.Logs, line => line.Contains(service.Bitrix.Options.ClientSecret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failed_request_says_neither_its_address_nor_its_token()
    {
        await using var service = await RestTest.StartAsync();
        var http = service.Get<BitrixHttp>();
        service.Bitrix.Faults.Set("oauth:app.info", Fault.Drop());
        foreach (var url in new[] { service.Bitrix.OAuth.Url + "/rest/app.info/", "http://127.0.0.1:1/rest/app.info/", "http://no.such.host.invalid/" })
        {
            var failure = (await http.GetWithTokenAsync(new Uri(url), new Secret("a-token-of-somebody"), TimeSpan.FromSeconds(5), Token)).Error!;

            Assert.DoesNotContain("a-token-of-somebody", failure.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("app.info", failure.Description, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_secret_prints_as_stars()
    {
        var tokens = new PortalTokens(new("access"), new("refresh"), default);

        Assert.Equal("***", $"{tokens.Access}");
        Assert.DoesNotContain("access\"", tokens.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("refresh\"", System.Text.Json.JsonSerializer.Serialize(tokens), StringComparison.Ordinal);
    }

    private static async Task LearnAsync(Service service, ConcurrentBag<string> secrets)
    {
        var portal = await service.StoredAsync();
        secrets.Add(portal.RemovalKey.Reveal());
        if (portal.Tokens is not { } tokens)
            return;
        secrets.Add(tokens.Access.Reveal());
        secrets.Add(tokens.Refresh.Reveal());
    }
}
