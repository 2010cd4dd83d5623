using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

public sealed class SqliteFileTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_that_is_deleted_while_the_service_runs_is_put_back_with_all_that_was_in_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there can an open file be deleted and told from its successor.");
        await using var service = await Service.StartInstalledAsync();
        var path = service.Get<Database>().FilePath!;
        await Task.Delay(TimeSpan.FromSeconds(3), Token);

        File.Delete(path);

        await service.EventuallyAsync(() => service.Logs.Any(static l => l.Contains("was put back", StringComparison.Ordinal)), "put back");
        Assert.Contains(service.Logs, static l => l.StartsWith("Critical: ", StringComparison.Ordinal) && l.Contains("was deleted while", StringComparison.Ordinal));
        Assert.True(File.Exists(path));
        await service.StopAsync();
        await using var next = await Service.StartAsync(bitrix: service.Bitrix, folder: service.Folder);
        Assert.Equal(TokenState.Good, (await next.Get<PortalStore>().FindAsync(next.Portal.Id, Token))?.TokenState);
    }
}
