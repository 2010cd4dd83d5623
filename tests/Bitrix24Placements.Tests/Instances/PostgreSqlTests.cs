using System.Diagnostics;
using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Instances;

public sealed class PostgreSqlTests(ThrowawayPostgres postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_whole_life_on_PostgreSQL()
    {
        await using var service = await Service.StartInstalledAsync(Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(_folder, "life")));
        using (var worker = await service.WorkerAsync())
            Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        using (var link = await service.LinkAsync(userId: 2, accept: "application/json"))
            Assert.Equal(2, (int)(await Service.JsonAsync(link))["userId"]!);
        using (var signal = await service.ApiAsync("/api/signals", new System.Text.Json.Nodes.JsonObject { ["memberId"] = service.Portal.MemberId, ["command"] = "ping" }))
            Assert.Equal(HttpStatusCode.Accepted, signal.StatusCode);
        await service.Portal.RemoveWorkerAsync(cancellationToken: Token);
        await service.EventuallyAsync(() => service.Portal.Placements.Any(static p => p.Placement == "PAGE_BACKGROUND_WORKER"), "the worker is registered again");

        await service.Portal.UninstallAsync(clean: false, Token);

        await service.EventuallyAsync(async () => (await service.WorkerAsync()).StatusCode == HttpStatusCode.Forbidden, "the worker is refused");
        Assert.True((bool?)(await ReinstallAsync(service))["finished"]);
    }

    [Fact]
    public async Task A_dump_of_the_tables_holds_no_secret()
    {
        await using var service = await Service.StartInstalledAsync(Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(_folder, "dump")));
        var portal = (await service.Get<PortalStore>().FindAsync(service.Portal.Id, Token))!;

        var dump = string.Join('\n', await DumpAsync(service.Get<Database>()));

        Assert.Contains(portal.Id.MemberId, dump, StringComparison.Ordinal);
        Assert.Contains("EncryptedData", dump, StringComparison.Ordinal);
        Assert.DoesNotContain("<masterKey", dump, StringComparison.Ordinal);
        foreach (var secret in new[] { portal.Tokens!.Access.Reveal(), portal.Tokens.Refresh.Reveal(), portal.RemovalKey.Reveal(), service.Portal.App.ApplicationToken, service.Bitrix.Options.ClientSecret })
            Assert.DoesNotContain(secret, dump, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_changed_certificate_reads_the_tokens_when_its_predecessor_is_named()
    {
        var database = await postgres.NewDatabaseAsync();
        var (old, present) = (Certificates.Make(_folder, "old"), Certificates.Make(_folder, "present"));
        await using var before = await Service.StartInstalledAsync(Certificates.Settings(database, old));
        var settings = Certificates.Settings(database, present);

        await using (var alone = await Service.StartAsync(settings, before.Bitrix))
            Assert.Equal(Bitrix24Placements.Portals.TokenState.Dead, (await alone.Get<PortalStore>().FindAsync(before.Portal.Id, Token))!.TokenState);
        settings["DataProtection:PreviousCertificates:0:Path"] = old;
        settings["DataProtection:PreviousCertificates:0:Password"] = Certificates.Password;
        await using var after = await Service.StartAsync(settings, before.Bitrix);

        Assert.Equal(Bitrix24Placements.Portals.TokenState.Good, (await after.Get<PortalStore>().FindAsync(before.Portal.Id, Token))!.TokenState);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("/no/such/file.pfx")]
    public async Task Without_a_certificate_the_process_refuses_to_start_and_names_the_key(string? certificate)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Bitrix24Placements.Hosting.Draining).Assembly.Location]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["Storage__Provider"] = "PostgreSql";
        start.Environment["Storage__ConnectionString"] = "Host=127.0.0.1;Port=1;Username=app;Password=a-password-of-the-database";
        start.Environment["DataProtection__CertificatePath"] = certificate;
        using var process = Process.Start(start)!;

        var output = await process.StandardOutput.ReadToEndAsync(Token) + await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);

        Assert.Equal(1, process.ExitCode);
        var line = Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), static l => l.Contains("cannot start", StringComparison.Ordinal));
        Assert.Contains("DataProtection:CertificatePath", line, StringComparison.Ordinal);
        Assert.DoesNotContain("a-password-of-the-database", output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(true);

    private static async Task<System.Text.Json.Nodes.JsonObject> ReinstallAsync(Service service)
    {
        await service.Portal.InstallAsync(cancellationToken: Token);
        return await service.InstallAsync();
    }

    private static async Task<List<string>> DumpAsync(Database database)
    {
        var rows = new List<string>();
        foreach (var table in await database.QueryAsync("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", static r => r.GetString(0), Token))
            rows.AddRange(await database.QueryAsync("SELECT t::text FROM " + table + " t", static r => r.GetString(0), Token));
        return rows;
    }
}
