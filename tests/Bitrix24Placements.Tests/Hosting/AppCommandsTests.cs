using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>Apps are added, changed and removed at run time, and a wrong secret never gets in.</summary>
public sealed class AppCommandsTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");
    private Bitrix24 _bitrix = null!;

    public async ValueTask InitializeAsync() => _bitrix = await Bitrix24.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _bitrix.DisposeAsync();
        _folder.Delete(true);
    }

    [Fact]
    public async Task An_app_comes_gets_a_new_secret_and_goes()
    {
        var (id, secret) = (_bitrix.Options.ClientId, _bitrix.Options.ClientSecret);
        Assert.Equal((0, "acme is added."), await RunAsync(secret, "add", "acme", "--client-id", id, "--app-code", "acme.deals"));
        Assert.Equal((0, $"acme\t{id}\tacme.deals"), await RunAsync("", "list"));
        Assert.Equal((0, "acme has its new secret."), await RunAsync(secret, "rotate", "acme"));
        Assert.Equal((0, ""), await RunAsync("", "list", "--pending"));
        Assert.Equal((0, "acme is removed."), await RunAsync("", "remove", "acme"));
        Assert.Equal((0, ""), await RunAsync("", "list"));
    }

    [Fact]
    public async Task A_wrong_secret_is_told_and_nothing_is_stored()
    {
        var (status, told) = await RunAsync("wrong", "add", "acme", "--client-id", _bitrix.Options.ClientId);
        Assert.Equal(1, status);
        Assert.Contains(_bitrix.Options.ClientId, Assert.Single(told.Split('\n')), StringComparison.Ordinal);
        Assert.Equal((0, ""), await RunAsync("", "list"));
    }

    [Theory]
    [InlineData("remove acme", 1)]
    [InlineData("rotate acme", 1)]
    [InlineData("add a/b --client-id local.1", 1)]
    [InlineData("add acme", 1)]
    [InlineData("list everything", 2)]
    [InlineData("ad", 2)]
    public async Task What_cannot_be_done_is_told_in_one_line(string line, int expected)
    {
        var (status, told) = await RunAsync(_bitrix.Options.ClientSecret, line.Split(' '));
        Assert.Equal(expected, status);
        Assert.NotEqual("", Assert.Single(told.Split('\n')));
    }

    private async Task<(int Status, string Told)> RunAsync(string input, params string[] words)
    {
        var run = await FailedStart.RunWithInputAsync(new()
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["Bitrix24__AllowInsecureHttp"] = "true",
            ["Bitrix24__OAuthServers__0"] = _bitrix.OAuth.Url,
            ["Storage__ConnectionString"] = $"Data Source={_folder.FullName}/placements.db",
            ["Storage__SpoolPath"] = $"{_folder.FullName}/spool",
        }, input, ["app", .. words]);
        return (run.ExitCode, run.Output.TrimEnd());
    }
}
