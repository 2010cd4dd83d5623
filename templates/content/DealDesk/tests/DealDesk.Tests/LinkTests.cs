using Bitrix24Placements.PortalSimulator;

namespace DealDesk.Tests;

public sealed class LinkTests
{
    [Fact]
    public async Task A_link_greets_its_user()
    {
        await using var portal = await InstalledApp<Program>.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

        using var page = await portal.LinkAsync(userId: 2, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Contains("user 2", await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
