using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>What is typed behind the program's name.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("foo")]
    [InlineData("make-certficate")]
    [InlineData("--hepl")]
    [InlineData("serve foo")]
    [InlineData("health now")]
    [InlineData("move-store")]
    [InlineData("replay")]
    [InlineData("--Storage:Provider --urls http://127.0.0.1:1")]
    public async Task What_is_not_known_is_told_in_one_line_with_status_2(string line)
    {
        var run = await FailedStart.RunAsync([], line.Split(' '));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--help", Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_the_commands()
    {
        var run = await FailedStart.RunAsync([], "--help");
        Assert.Equal(0, run.ExitCode);
        foreach (var command in new[] { "serve", "health", "make-certificate", "move-store", "replay" })
            Assert.Contains(command, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_level_of_the_log_that_there_is_not_is_told_in_one_line()
    {
        var run = await FailedStart.RunAsync(new() { ["Logging__LogLevel__Default"] = "Loud" });
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Logging:LogLevel:Default", Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Storage:Provider=MySql")]
    [InlineData("--Storage:Provider MySql")]
    [InlineData("serve --Storage:Provider MySql")]
    public async Task Settings_are_taken_from_the_command_line(string line)
    {
        var run = await FailedStart.RunAsync(new() { ["ASPNETCORE_ENVIRONMENT"] = "Production" }, line.Split(' '));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Storage:Provider has to be", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_named_by_the_probe()
    {
        var port = Service.FreePort();
        var run = await FailedStart.RunAsync(new() { ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}" }, "health");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"127.0.0.1:{port}", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_beside_the_program_are_read_with_arguments_too()
    {
        // appsettings.Development.json lies beside the program, and is the only one that says Off.
        await using var process = await ServiceProcess.StartAsync(new() { ["ASPNETCORE_ENVIRONMENT"] = "Development" }, arguments: ["--Limits:UnverifiedPerMinute=7"]);
        await process.LineAsync("Verification is Off");
    }
}
