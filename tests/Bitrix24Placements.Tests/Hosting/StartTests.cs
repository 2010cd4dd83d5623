using System.Globalization;
using System.Text.Json.Nodes;
using Bitrix24Placements.Tests.Harness;
using Npgsql;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>What an operator reads when something outside the service keeps it from starting, or half of a setting is missing.</summary>
public sealed class StartTests(ThrowawayPostgres postgres) : IDisposable
{
    private const string Password = "hidden-password";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_PostgreSQL_that_refuses_the_connection_is_named_by_host_and_port()
    {
        var port = Service.FreePort();

        var line = await WaitingLineAsync($"Host=127.0.0.1;Port={port};Username=app;Password={Password};Database=placements");

        Assert.Contains($"127.0.0.1:{port}/placements", line, StringComparison.Ordinal);
        Assert.Contains("refused", line, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("nothing_here", "app")]
    [InlineData("postgres", "nobody_here")]
    public async Task A_database_or_a_user_that_there_is_not_is_named_with_the_place(string database, string user)
    {
        var server = new NpgsqlConnectionStringBuilder(await postgres.NewDatabaseAsync()) { Database = database, Username = user, Password = Password };

        var line = await WaitingLineAsync(server.ConnectionString);

        Assert.Contains($"{server.Host}:{server.Port}/{database}", line, StringComparison.Ordinal);
        Assert.Contains(user == "app" ? database : user, line[line.IndexOf(" (", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_of_the_certificate_is_told_in_one_line()
    {
        var certificate = Certificates.Make(_folder, "locked");

        var run = await FailedStart.RunAsync(new() { ["DataProtection__CertificatePath"] = certificate, ["DataProtection__CertificatePassword"] = Password, ["ASPNETCORE_ENVIRONMENT"] = "Production" });

        Assert.Equal(1, run.ExitCode);
        var line = Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($"DataProtection:CertificatePath: {certificate} cannot be opened", line, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bitrix24:ClientId", "Bitrix24:ClientSecret")]
    [InlineData("Bitrix24:ClientSecret", "Bitrix24:ClientId")]
    public async Task One_key_of_the_two_is_told_at_the_start_on_the_page_and_in_health_and_counts_as_none(string given, string missing)
    {
        var management = Service.FreePort();
        await using var process = await ServiceProcess.StartAsync(new() { [given] = "one-key-alone", ["Management:Port"] = management.ToString(CultureInfo.InvariantCulture) });

        await process.LineAsync(missing);
        var warning = Assert.Single(process.Output.Split('\n'), l => l.Contains(missing, StringComparison.Ordinal));
        Assert.Contains("\"Warning\"", warning, StringComparison.Ordinal);
        Assert.Contains("counts as not configured", warning, StringComparison.Ordinal);
        Assert.Contains($"{missing} is not set, though", await process.Http.GetStringAsync("/", Token), StringComparison.Ordinal);
        Assert.Equal("{\"status\":\"ready\",\"configured\":false}\n", await process.Http.GetStringAsync("/health/ready", Token));
        var health = JsonNode.Parse(await process.Http.GetStringAsync($"http://127.0.0.1:{management}/health/ready", Token))!;
        Assert.Equal(missing, (string?)health["missingKey"]);
    }

    /// <summary>The first line that says why the service waits; there is no stack trace, and nothing secret anywhere.</summary>
    private async Task<string> WaitingLineAsync(string connectionString)
    {
        var settings = Certificates.Settings(connectionString, Certificates.Make(_folder, "start"));
        await using var process = ServiceProcess.Begin(_folder, settings, Service.FreePort());
        for (var until = DateTime.UtcNow.AddSeconds(30); DateTime.UtcNow < until; await Task.Delay(50, Token))
        {
            if (process.Output.Split('\n').FirstOrDefault(static l => l.Contains("cannot be used yet", StringComparison.Ordinal)) is { } line)
            {
                Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
                Assert.DoesNotContain(Password, process.Output, StringComparison.Ordinal);
                return (string?)JsonNode.Parse(line)!["@m"] ?? "";
            }
        }

        Assert.Fail($"The service did not say what it waits for. It wrote:\n{process.Output}");
        return "";
    }

    public void Dispose() => _folder.Delete(true);
}
