using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Apps;

/// <summary>What health and the app's page say of an app's keys.</summary>
public sealed class KeyTroubleTests
{
    private const string ClientId = "local.second.1";

    private static readonly string Keys = new('s', 50);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refresh_finds_wrong_keys_and_right_ones()
    {
        await using var service = await Service.StartInstalledAsync();
        var troubles = service.Get<KeyTroubles>();
        service.Portal.ExpireTokens();
        service.Bitrix.Faults.Set("oauth:token", PortalSimulator.Fault.Error("invalid_client", 401));
        Assert.NotEqual(HttpStatusCode.Accepted, await SignalAsync(service, null));
        Assert.Equal(["default"], troubles.Apps);
        Assert.Single(service.Logs, static l => l.Contains("does not accept the keys of the app default", StringComparison.Ordinal));

        service.Bitrix.Faults.Clear();
        await service.EventuallyAsync(async () => await SignalAsync(service, null) == HttpStatusCode.Accepted, "the tokens are refreshed");
        Assert.Empty(troubles.Apps);
    }

    [Fact]
    public async Task A_new_secret_and_a_removed_app_have_no_trouble_yet()
    {
        await using var service = await Service.StartInstalledAsync();
        var apps = service.Get<AppRegistry>();
        var troubles = service.Get<KeyTroubles>();
        foreach (var end in new[] { () => apps.RotateAsync("second", new("its new secret"), Token), () => apps.RemoveAsync("second", Token) })
        {
            if (apps.Find("second") is null)
                await apps.AddAsync("second", ClientId, new(Keys), null, Token);
            Assert.True(troubles.Note("second", isWrong: true));
            Assert.False(troubles.Note("second", isWrong: true));
            Assert.Equal(["second"], troubles.Apps);
            await end();
            Assert.Empty(troubles.Apps);
        }
    }

    private static async Task<HttpStatusCode> SignalAsync(Service service, string? app)
    {
        using var answer = await service.ApiAsync("/api/signals",
            new JsonObject { ["memberId"] = service.Portal.MemberId, ["command"] = "ping", ["app"] = app });
        return answer.StatusCode;
    }
}
