using System.Net;
using Bitrix24Placements.Apps;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.Tests.Apps;

/// <summary>What health and the app's page say of an app's keys.</summary>
public sealed class KeyTroubleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refresh_finds_wrong_keys_and_right_ones()
    {
        await using var apps = await TwoApps.StartAsync();
        var troubles = apps.Service.Get<KeyTroubles>();
        apps.Portal.ExpireTokens();
        apps.Service.Bitrix.Faults.Set("oauth:token", Fault.Error("invalid_client", 401));
        Assert.NotEqual(HttpStatusCode.Accepted, await apps.SignalAsync(PortalId.DefaultApp));
        Assert.Equal(["default"], troubles.Apps);
        Assert.Single(apps.Service.Logs, static l => l.Contains("does not accept the keys of the app default", StringComparison.Ordinal));

        apps.Service.Bitrix.Faults.Clear();
        await apps.Service.EventuallyAsync(async () => await apps.SignalAsync(PortalId.DefaultApp) == HttpStatusCode.Accepted, "the tokens are refreshed");
        Assert.Empty(troubles.Apps);
    }

    [Fact]
    public async Task A_new_secret_and_a_removed_app_have_no_trouble_yet()
    {
        await using var apps = await TwoApps.StartAsync();
        var troubles = apps.Service.Get<KeyTroubles>();
        foreach (var endAsync in new[]
        {
            () => apps.Apps.RotateAsync(TwoApps.Name, new("its new secret"), Token),
            () => apps.Apps.RemoveAsync(TwoApps.Name, Token),
        })
        {
            Assert.True(troubles.Note(TwoApps.Name, isWrong: true));
            Assert.False(troubles.Note(TwoApps.Name, isWrong: true));
            Assert.Equal([TwoApps.Name], troubles.Apps);
            await endAsync();
            Assert.Empty(troubles.Apps);
        }
    }
}
