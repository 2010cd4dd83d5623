using System.Text;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>Whoever gets a copy of the database alone, or of the logs, gets no secret.</summary>
public sealed class AtRestTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_files_hold_no_token_in_plain_text()
    {
        await using var service = await Service.StartAsync();
        var secrets = new List<string> { service.Portal.App.ApplicationToken, service.Bitrix.Options.ClientSecret, Service.ApiKey };
        var wizard = service.Wizard();
        secrets.AddRange([wizard.AccessToken, wizard.RefreshToken]);
        (await service.PostAsync(wizard, "application/json")).Dispose();
        secrets.Add(service.Portal.RemovalUrl()!.Split('/')[^1]);
        secrets.AddRange(await LaunchAsync(service));
        await service.Portal.RemoveWorkerAsync(cancellationToken: Token);
        await service.EventuallyReconciledAsync();
        service.Portal.ExpireTokens();
        await service.SignalAsync();
        await service.Portal.UpdateAsync(cancellationToken: Token);
        secrets.Add(service.Portal.App.ApplicationToken);
        await service.EventuallyReconciledAsync();
        var stored = (await service.StoredAsync())!;
        secrets.AddRange([stored.Tokens!.Access.Reveal(), stored.Tokens.Refresh.Reveal()]);

        AssertNoneIn(service, secrets);
    }

    [Fact]
    public async Task Kept_installations_hold_none_either()
    {
        await using var service = await Service.StartAsync(new() { ["Bitrix24:ClientId"] = null, ["Bitrix24:ClientSecret"] = null });
        var fields = service.Portal.EventFields("ONAPPINSTALL");
        (await service.PostAsync("/install", fields)).Dispose();
        var wizard = service.Wizard();
        (await service.PostAsync(wizard)).Dispose();

        AssertNoneIn(service, [fields["auth[access_token]"], fields["auth[refresh_token]"], wizard.AccessToken, wizard.RefreshToken, service.Portal.App.ApplicationToken]);
    }

    [Fact]
    public async Task Only_the_service_can_read_the_folder_of_the_keys()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await using var service = await Service.StartInstalledAsync();

        var keys = service.Folder.EnumerateDirectories("keys").Single();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, keys.UnixFileMode);
        Assert.NotEmpty(keys.EnumerateFiles());
    }

    private static async Task<List<string>> LaunchAsync(Service service)
    {
        var secrets = new List<string>();
        void Remember(LaunchForm form) => secrets.AddRange([form.AccessToken, form.RefreshToken]);
        (await service.LinkAsync(change: Remember)).Dispose();
        (await service.LinkAsync(userId: 2, change: Remember)).Dispose();
        (await service.AppPageAsync(change: Remember)).Dispose();
        (await service.WorkerAsync(userId: 3, change: Remember)).Dispose();
        (await service.LinkAsync(change: f =>
        {
            f.Body["AUTH_ID"] = "a-forged-access-token-that-nobody-knows";
            Remember(f);
        })).Dispose();
        return secrets;
    }

    private static void AssertNoneIn(Service service, List<string> secrets)
    {
        var files = service.Folder.EnumerateFiles("*", SearchOption.AllDirectories).ToList();
        Assert.Contains(files, f => f.Name == "placements.db");
        foreach (var file in files)
        {
            var bytes = ReadShared(file);
            Assert.All(secrets, s => Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(s)) < 0, $"{file.Name} holds a secret"));
        }

        Assert.All(secrets, s => Assert.DoesNotContain(service.Logs, l => l.Contains(s, StringComparison.Ordinal)));
    }

    private static byte[] ReadShared(FileInfo file)
    {
        using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
